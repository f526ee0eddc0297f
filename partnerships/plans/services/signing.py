"""Asking for signatures, giving them once, and saying what became of conditions."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Party, PartyRole, PartyStatus
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import ConditionMet, Decision, Plan, Signatory, SignOff, Status
from partnerships.plans.queries import SigningState, number_to_sign, signing_states, still_takes_part
from partnerships.plans.rights import rights_over
from partnerships.plans.services.ledger import acting_organisation, lock_plan, note

#: A signatory that has not decided is reminded so many days before its day, and every so many days.
REMIND_BEFORE = dt.timedelta(days=7)
REMIND_AGAIN = dt.timedelta(days=7)


class UnableToRequestSignOff(Exception):
    """Nothing is published, nobody is named, an observer is named, or the plan is over."""


class UnableToSign(Exception):
    """The organisation is not asked, has decided, or the version is no longer the newest."""


@transaction.atomic
def request_sign_off(
    *,
    plan: Plan,
    signatories: Sequence[tuple[Organisation, str]],
    due_on: dt.date | None,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
) -> Plan:
    """Choose who must sign (organisation and role), replacing nobody who is asked already, and wait for them.

    After the plan had gone back to comment, or was agreed, those asked before who have not decided on this version are
    asked anew, by `due_on` where one is given. Raises `UnableToRequestSignOff`.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    number = number_to_sign(plan)
    if not number:
        raise UnableToRequestSignOff("Publish a version first, not under embargo: a signature is for one version.")
    if plan.status not in (Status.SHARED, Status.AWAITING_SIGN_OFF, Status.AGREED, Status.MONITORING):
        raise UnableToRequestSignOff(f"This plan is {plan.get_status_display().lower()}.")
    if due_on is not None and due_on < timezone.localdate(now):
        raise UnableToRequestSignOff("The day to decide by must not be past.")
    present = set(plan.signatories.filter(removed_at=None).values_list("organisation", flat=True))
    fresh = [(organisation, role.strip()) for organisation, role in signatories if organisation.pk not in present]
    anew = asked_again(plan)
    if not fresh and not anew and not _is_signed_already(plan):
        raise UnableToRequestSignOff("Choose at least one organisation that has not decided on this version.")
    for organisation, role in fresh:
        _check_may_sign(plan, organisation, role)
    made = [
        Signatory.objects.create(
            plan=plan,
            organisation=organisation,
            role=role,
            due_on=due_on,
            asked_by=author,
            asked_at=now,
            link_key=secrets.token_hex(16),
        )
        for organisation, role in fresh
    ]
    before = plan.status
    plan.status = Status.AWAITING_SIGN_OFF
    plan.save(update_fields=["status"])
    note(
        plan,
        EventKind.SIGN_OFF_ASKED,
        author=author,
        organisation=acting_organisation(plan, author),
        kind="plan_signing",
        now=now,
        data={
            "title": plan.title,
            "reason": reason,
            "before": {"status": before},
            "after": {"status": plan.status},
            "signatories": [organisation.pk for organisation, _role in fresh],
        },
    )
    for signatory in made:
        _send_request(signatory, author=author, now=now)
    for state in anew:
        _ask_anew(state.signatory, due_on=due_on or _day_for(state.signatory, now), author=author, now=now)
    _settle(plan, author=author, now=now)
    return plan


def asked_again(plan: Plan) -> list[SigningState]:
    """Those asked before who are asked again when sign-off is asked for: while the plan waits, nobody is."""
    return [] if plan.is_awaiting_sign_off else [state for state in signing_states(plan) if state.must_decide]


def _is_signed_already(plan: Plan) -> bool:
    """Whether a plan that went back to comment has every signature it needs for its present version."""
    states = signing_states(plan) if plan.status == Status.SHARED else []
    return any(state.has_approved for state in states) and all(state.is_settled for state in states)


def _day_for(signatory: Signatory, now: dt.datetime) -> dt.date | None:
    """The day by which a signatory that is asked anew is to decide: its day, or, where that is past, as many days from
    now as it had at first, at least a week."""
    today = timezone.localdate(now)
    if signatory.due_on is None or signatory.due_on >= today:
        return signatory.due_on
    return today + max(REMIND_BEFORE, signatory.due_on - timezone.localdate(signatory.asked_at))


def _ask_anew(signatory: Signatory, *, due_on: dt.date | None, author: User | None, now: dt.datetime) -> None:
    """Write to a signatory again; links of earlier emails open nothing any more."""
    before = signatory.due_on
    signatory.link_key = secrets.token_hex(16)
    signatory.asked_at, signatory.reminded_at, signatory.due_on = now, None, due_on
    if author is not None:
        signatory.asked_by = author
    signatory.save(update_fields=["link_key", "asked_by", "asked_at", "reminded_at", "due_on"])
    _send_request(signatory, author=author, now=now, again=True)
    _note_day(signatory, EventKind.SIGN_OFF_ASKED_AGAIN, before, author=author, now=now)


def _note_day(
    signatory: Signatory,
    event: EventKind,
    before: dt.date | None,
    *,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
) -> None:
    plan, due_on = signatory.plan, signatory.due_on
    note(
        plan,
        event,
        author=author,
        organisation=acting_organisation(plan, author),
        kind="plan_signing",
        now=now,
        data={
            "title": plan.title,
            "reason": f"{signatory.organisation.name}: {reason}" if reason else signatory.organisation.name,
            "signatory": signatory.organisation_id,
            "before": {"decide_by": before.isoformat() if before else ""},
            "after": {"decide_by": due_on.isoformat() if due_on else ""},
        },
    )


@transaction.atomic
def change_due_day(
    *, signatory: Signatory, due_on: dt.date | None, reason: str, author: User, now: dt.datetime
) -> Signatory:
    """Give a signatory another day by which to decide, or none. Raises `UnableToRequestSignOff`."""
    plan = lock_plan(signatory.plan)
    require(rights_over(plan, author, now).may_publish)
    signatory = Signatory.objects.select_related("plan", "organisation").get(pk=signatory.pk)
    if signatory.removed_at is not None or plan.is_over:
        raise UnableToRequestSignOff(f"{signatory.organisation.name} is not asked to sign this plan any more.")
    if due_on is not None and due_on < timezone.localdate(now):
        raise UnableToRequestSignOff("The day to decide by must not be past. Choose today or a later day.")
    if not reason.strip():
        raise UnableToRequestSignOff("Say why.")
    before = signatory.due_on
    if due_on == before:
        return signatory
    signatory.due_on = due_on
    signatory.save(update_fields=["due_on"])
    _note_day(signatory, EventKind.DUE_DAY_CHANGED, before, author=author, now=now, reason=reason.strip())
    return signatory


def _check_may_sign(plan: Plan, organisation: Organisation, role: str) -> None:
    if not role:
        raise UnableToRequestSignOff(f"Say in which role {organisation.name} signs.")
    if plan.owners.filter(organisation=organisation).exists():
        return
    party = Party.objects.filter(
        partnership=plan.partnership_id, organisation=organisation, status=PartyStatus.ACCEPTED
    ).first()
    if plan.partnership_id is None or party is None:
        raise UnableToRequestSignOff(f"{organisation.name} is neither an owner nor a partner of this plan.")
    if party.role == PartyRole.OBSERVER:
        raise UnableToRequestSignOff(f"{organisation.name} is an observer: observers never sign.")
    if plan.audience == "owners":
        raise UnableToRequestSignOff("Only owners may read this plan: widen its audience before others sign it.")


def _send_request(
    signatory: Signatory,
    *,
    author: User | None,
    now: dt.datetime,
    reminder: bool = False,
    again: bool = False,
    owed_since: dt.datetime | None = None,
) -> None:
    """Record the email with the link for every lead of the organisation but the author.

    `owed_since` tells one reminder from the next: the moment of the last email before it.
    """
    asking = acting_organisation(signatory.plan, author)
    record_emails(
        kind="plans.sign_off_request",
        people=[lead.pk for lead in leads_of(signatory.organisation) if lead != author],
        params={
            "signatory": signatory.pk,
            "asked_at": signatory.asked_at.isoformat(),
            "reminder": reminder,
            "again": again,
        }
        | ({"owed_since": owed_since.isoformat()} if owed_since else {}),
        sender_id=asking.pk if asking else None,
        now=now,
    )


def ask_again(plan: Plan, *, author: User | None, now: dt.datetime) -> None:
    """Ask every signatory that takes part and has to decide; call while the plan's row is locked."""
    for state in signing_states(plan):
        if state.must_decide:
            signatory = state.signatory
            _ask_anew(signatory, due_on=_day_for(signatory, now), author=author, now=now)


@transaction.atomic
def sign_off(
    *,
    plan: Plan,
    number: int,
    organisation: Organisation,
    person: User,
    decision: str,
    reason: str = "",
    now: dt.datetime,
) -> SignOff:
    """Decide on one version for an organisation, once. Raises `UnableToSign`.

    A condition or a rejection needs its reason.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, person, now).may_sign_for(organisation.pk))
    reason = reason.strip()
    if decision not in Decision.values:
        raise UnableToSign("Choose approve, approve with a condition, or reject.")
    if decision != Decision.APPROVED and not reason:
        raise UnableToSign("Say what the condition is." if decision == Decision.CONDITIONAL else "Say why.")
    if not plan.is_awaiting_sign_off:
        raise UnableToSign(f"This plan is not waiting for signatures: it is {plan.get_status_display().lower()}.")
    newest = number_to_sign(plan)
    if number != newest:
        raise UnableToSign(f"Version {newest} is newer: read what changed before you decide.")
    signatory = plan.signatories.filter(organisation=organisation, removed_at=None).first()
    if signatory is None:
        raise UnableToSign(f"{organisation.name} is not asked to sign this plan.")
    state = next(state for state in signing_states(plan) if state.signatory.pk == signatory.pk)
    if not state.takes_part:
        raise UnableToSign(f"{organisation.name} no longer takes part in this plan.")
    if state.sign_off is not None and not state.may_decide_on(number):
        raise UnableToSign(
            f"{state.sign_off.person.display_name} has already decided for {organisation.name}: "
            f"{state.sign_off.get_decision_display().lower()}."
        )
    version = plan.versions.get(number=number)
    try:
        with transaction.atomic():
            made = SignOff.objects.create(
                plan=plan,
                version=version,
                organisation=organisation,
                person=person,
                role=signatory.role,
                decision=decision,
                reason=reason if decision != Decision.APPROVED else "",
                signed_at=now,
            )
    except IntegrityError as error:
        raise UnableToSign(f"Somebody has already decided for {organisation.name}.") from error
    note(
        plan,
        {
            Decision.APPROVED: EventKind.VERSION_APPROVED,
            Decision.CONDITIONAL: EventKind.VERSION_APPROVED_WITH_CONDITION,
            Decision.REJECTED: EventKind.VERSION_REJECTED,
        }[Decision(decision)],
        author=person,
        organisation=organisation,
        kind="plan_signing",
        now=now,
        data={"title": plan.title, "number": number, "after": {"decision": decision}, "reason": made.reason},
    )
    if decision != Decision.APPROVED:
        _tell_decision(made, now=now)
    _settle(plan, author=person, now=now)
    return made


def _tell_decision(sign_off: SignOff, *, now: dt.datetime) -> None:
    """Tell the leads of the owners that a signatory rejected a version or set a condition."""
    owners = sign_off.plan.owners.values("organisation")
    leads = Membership.objects.current().filter(role=Role.LEAD, organisation__in=owners)
    record_emails(
        kind="plans.decision",
        people=leads.exclude(person=sign_off.person).values_list("person", flat=True),
        params={"sign_off": sign_off.pk},
        sender_id=sign_off.organisation_id,
        now=now,
    )


@transaction.atomic
def meet_condition(*, sign_off: SignOff, person: User, note_text: str, now: dt.datetime) -> ConditionMet:
    """Say, for the organisation that set it, that a condition is met. Raises `UnableToSign`."""
    plan = lock_plan(sign_off.plan)
    require(rights_over(plan, person, now).may_meet(sign_off))
    state = next(
        (state for state in signing_states(plan) if state.sign_off is not None and state.sign_off.pk == sign_off.pk),
        None,
    )
    if state is None or not sign_off.is_conditional:
        raise UnableToSign("This decision no longer counts, or had no condition.")
    if state.code == "met":
        raise UnableToSign("The condition is met already.")
    met = ConditionMet.objects.create(sign_off=sign_off, person=person, note=note_text.strip(), at=now)
    note(
        plan,
        EventKind.CONDITION_MET,
        author=person,
        organisation=sign_off.organisation,
        kind="plan_signing",
        now=now,
        data={"title": plan.title, "number": sign_off.version.number, "reason": met.note},
    )
    _settle(plan, author=person, now=now)
    return met


@transaction.atomic
def remove_signatory(*, signatory: Signatory, author: User, reason: str, now: dt.datetime) -> None:
    """No longer ask an organisation to sign; what it decided stays. Raises `UnableToRequestSignOff`."""
    plan = lock_plan(signatory.plan)
    require(rights_over(plan, author, now).may_publish)
    remaining = plan.signatories.filter(removed_at=None).exclude(pk=signatory.pk).exists()
    if plan.is_awaiting_sign_off and not remaining:
        raise UnableToRequestSignOff("This is the only signatory: choose another first.")
    signatory.removed_at = now
    signatory.save(update_fields=["removed_at"])
    note(
        plan,
        EventKind.SIGN_OFF_NOT_ASKED,
        author=author,
        organisation=acting_organisation(plan, author),
        kind="plan_signing",
        now=now,
        data={"title": plan.title, "reason": reason, "signatory": signatory.organisation_id},
    )
    _settle(plan, author=author, now=now)


def _settle(plan: Plan, *, author: User | None, now: dt.datetime) -> None:
    """Make the plan agreed once every required signatory has approved and every condition is met."""
    states = signing_states(plan)
    if not plan.is_awaiting_sign_off or not all(state.is_settled for state in states):
        return
    if not any(state.has_approved for state in states):
        return
    plan.status = Status.AGREED
    plan.save(update_fields=["status"])
    note(
        plan,
        EventKind.AGREED,
        author=author,
        now=now,
        data={
            "title": plan.title,
            "number": number_to_sign(plan),
            "reason": "Every required signatory has approved.",
            "before": {"status": Status.AWAITING_SIGN_OFF.value},
            "after": {"status": Status.AGREED.value},
        },
    )


def release_signatories(*, now: dt.datetime) -> int:
    """No longer ask organisations that take part no more, so that nothing waits for them; give how many.

    What they decided stays. Safe to run twice or late: nobody writes to them meanwhile.
    """
    gone = (
        Signatory.objects.filter(removed_at=None, plan__status=Status.AWAITING_SIGN_OFF)
        .annotate(takes_part=still_takes_part())
        .filter(takes_part=False)
    )
    plans = gone.order_by("plan").values_list("plan", flat=True).distinct()
    return sum(_release(pk, now) for pk in plans)


@transaction.atomic
def _release(pk: int, now: dt.datetime) -> int:
    plan = lock_plan(Plan(pk=pk))
    gone = [state.signatory for state in signing_states(plan) if state.code == "left"]
    for signatory in gone:
        signatory.removed_at = now
        signatory.save(update_fields=["removed_at"])
        note(
            plan,
            EventKind.SIGN_OFF_NOT_ASKED,
            author=None,
            kind="plan_signing",
            now=now,
            data={
                "title": plan.title,
                "reason": f"{signatory.organisation.name} no longer takes part in this plan.",
                "signatory": signatory.organisation_id,
            },
        )
    _settle(plan, author=None, now=now)
    return len(gone)


def remind_signatories(*, now: dt.datetime) -> int:
    """Remind those who have not decided and whose day is near or past, once a week each; give how many were reminded.

    Safe to run twice: a signatory is claimed by a conditional update in the transaction that records its emails.
    """
    today = timezone.localdate(now)
    waiting = Signatory.objects.filter(
        Q(due_on__lte=today + REMIND_BEFORE) | Q(due_on=None, asked_at__lte=now - REMIND_AGAIN),
        removed_at=None,
        plan__status=Status.AWAITING_SIGN_OFF,
    ).select_related("plan", "organisation")
    reminded = 0
    for signatory in waiting.order_by("pk"):
        states = {state.signatory.pk: state for state in signing_states(signatory.plan)}
        if signatory.pk not in states or not states[signatory.pk].must_decide:
            continue
        due = signatory.reminded_at or signatory.asked_at
        if due > now - (REMIND_AGAIN if signatory.reminded_at else dt.timedelta(days=1)):
            continue
        with transaction.atomic():
            claimed = Signatory.objects.filter(pk=signatory.pk, reminded_at=signatory.reminded_at).update(
                reminded_at=now
            )
            if claimed:
                reminded += 1
                _send_request(signatory, author=None, now=now, reminder=True, owed_since=due)
    return reminded


def organisations_led_by(person: User, plan: Plan) -> list[Organisation]:
    """The organisations asked to sign for which the person speaks."""
    asked = plan.signatories.filter(removed_at=None).values("organisation")
    return list(Organisation.objects.of_person(person, Role.LEAD).filter(pk__in=asked).order_by("name", "pk"))
