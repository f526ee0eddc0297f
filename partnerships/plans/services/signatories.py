"""Ask organisations to sign a plan, change their deadlines, and stop asking them."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.models import Party, PartyRole, PartyStatus
from partnerships.documents.services import InvalidAnswers, read_questions
from partnerships.kit import journal
from partnerships.kit.link_keys import end_links
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import Audience, Plan, Signatory, Status
from partnerships.plans.queries import (
    signatories_to_ask_again,
    signing_states,
    takes_part_condition,
    version_number_to_sign,
)
from partnerships.plans.rights import rights_over
from partnerships.plans.services.recording import acting_organisation, lock_plan, record_event
from partnerships.plans.services.reminding import email_request
from partnerships.plans.services.signing import agree_if_fully_signed

#: Signatories that are asked again after their deadline get at least this time to decide.
_SHORTEST_DEADLINE = dt.timedelta(days=7)
#: The journal's name for an organisation that is no longer asked to sign.
SIGNATORY = "signatory"
#: The journal's name for links to sign that were renewed.
LINKS = "links to sign"


class UnableToRequestSignOff(Exception):
    """The plan has no version or no signatory to sign it, or is over."""


@transaction.atomic
def request_sign_off(
    *,
    plan: Plan,
    signatories: Sequence[tuple[Organisation, str]],
    due_on: dt.date | None,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    questions: Sequence[str] = (),
) -> Plan:
    """Ask organisations to sign a plan, and email their leads.

    `signatories` are the new organisations, each with the role that signs, for example (Westmarch, "Head of Housing").
    Organisations that were asked before remain signatories. The organisations answer `questions` with their decision.

    If the plan had gone back to comment or was agreed, earlier signatories that have not decided on this version
    are asked again. `due_on` and `questions`, if given, replace their earlier deadline and questions. Raises
    `UnableToRequestSignOff`.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_publish)
    _check_can_be_signed(plan, due_on, timezone.localdate(now))
    valid_questions = _valid_questions(questions)
    new_signatories = _new_signatories(plan, signatories)
    states_to_ask_again = signatories_to_ask_again(plan)
    if not new_signatories and not states_to_ask_again and not _is_signed_already(plan):
        raise UnableToRequestSignOff("Choose at least one organisation that has not decided on this version.")
    for signatory in new_signatories:
        _check_may_sign(plan, signatory)

    for signatory in new_signatories:
        _save_new_signatory(signatory, due_on=due_on, questions=valid_questions, author=author, now=now)
    status_before = plan.status
    plan.status = Status.AWAITING_SIGN_OFF
    plan.save(update_fields=["status"])
    _record_request(plan, new_signatories, valid_questions, status_before, reason=reason, author=author, now=now)

    for signatory in new_signatories:
        email_request(signatory, author=author, now=now)
    for state in states_to_ask_again:
        deadline = due_on or _new_deadline(state.signatory, now)
        _ask_again(state.signatory, due_on=deadline, questions=valid_questions, author=author, now=now)
    # All signatories of a plan that went back to comment may have approved this version, and the plan is then agreed.
    agree_if_fully_signed(plan, author=author, now=now)
    return plan


def _valid_questions(questions: Sequence[str]) -> list[str]:
    """Return the questions as they are stored. Raises `UnableToRequestSignOff`."""
    try:
        return read_questions(questions)
    except InvalidAnswers as error:
        raise UnableToRequestSignOff(str(error)) from error


def _save_new_signatory(
    signatory: Signatory, *, due_on: dt.date | None, questions: list[str], author: User | None, now: dt.datetime
) -> None:
    """Save a new signatory with its deadline and questions, as asked now by the author."""
    signatory.due_on = due_on
    signatory.questions = questions
    signatory.asked_by = author
    signatory.asked_at = now
    signatory.save(force_insert=True)


def _record_request(
    plan: Plan,
    new_signatories: Sequence[Signatory],
    questions: Sequence[str],
    status_before: str,
    *,
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record the event that organisations were asked to sign."""
    record_event(
        plan,
        EventKind.SIGN_OFF_ASKED,
        author=author,
        organisation=acting_organisation(plan, author),
        target=EventTarget.SIGNING,
        now=now,
        data={
            "title": plan.title,
            "reason": reason,
            "before": {"status": status_before},
            "after": {"status": plan.status},
            "signatories": [signatory.organisation_id for signatory in new_signatories],
            "questions": list(questions),
        },
    )


def _new_signatories(plan: Plan, signatories: Sequence[tuple[Organisation, str]]) -> list[Signatory]:
    """Return unsaved signatories for the organisations that are not asked to sign yet."""
    asked_ids = set(plan.signatories.filter(removed_at=None).values_list("organisation", flat=True))
    return [
        Signatory(plan=plan, organisation=organisation, role=role.strip(), link_key=secrets.token_hex(16))
        for organisation, role in signatories
        if organisation.pk not in asked_ids
    ]


def _check_can_be_signed(plan: Plan, due_on: dt.date | None, today: dt.date) -> None:
    """Raise `UnableToRequestSignOff` if the plan cannot be signed now, or the deadline is in the past."""
    if not version_number_to_sign(plan):
        raise UnableToRequestSignOff(
            "Organisations sign a published version. Publish a version without an embargo first."
        )
    if plan.status not in (Status.SHARED, Status.AWAITING_SIGN_OFF, Status.AGREED, Status.MONITORING):
        status = plan.get_status_display().lower()
        raise UnableToRequestSignOff(f"This plan is {status}, so you can no longer ask for sign-off.")
    if due_on is not None and due_on < today:
        raise UnableToRequestSignOff("The deadline must be today or later.")


def _is_signed_already(plan: Plan) -> bool:
    """Return whether a plan that went back to comment has all its signatures."""
    states = signing_states(plan) if plan.status == Status.SHARED else []
    return any(state.has_approved for state in states) and all(state.is_settled for state in states)


def _new_deadline(signatory: Signatory, now: dt.datetime) -> dt.date | None:
    """Return the deadline of a signatory that is asked again.

    If the old deadline has passed, the signatory gets as many days from now as it had at first, but at least a week.
    For example, a signatory that first had 20 days gets 20 days again, and one that had 3 days gets 7.
    """
    today = timezone.localdate(now)
    if signatory.due_on is None or signatory.due_on >= today:
        return signatory.due_on
    return today + max(_SHORTEST_DEADLINE, signatory.due_on - timezone.localdate(signatory.asked_at))


def _ask_again(
    signatory: Signatory,
    *,
    due_on: dt.date | None,
    author: User | None,
    now: dt.datetime,
    questions: Sequence[str] = (),
) -> None:
    """Email a signatory again. The links in earlier emails stop working.

    Without new `questions`, the signatory keeps its earlier questions.
    """
    due_before = signatory.due_on
    renew_link(signatory, now=now)

    signatory.asked_at = now
    signatory.due_on = due_on
    signatory.reminded_at = None
    signatory.escalated_at = None
    signatory.questions = list(questions) or signatory.questions
    if author is not None:
        signatory.asked_by = author
    signatory.save(update_fields=["asked_by", "asked_at", "reminded_at", "escalated_at", "due_on", "questions"])

    email_request(signatory, author=author, now=now, again=True)
    _record_deadline(signatory, EventKind.SIGN_OFF_ASKED_AGAIN, due_before=due_before, author=author, now=now)


def _record_deadline(
    signatory: Signatory,
    event: EventKind,
    *,
    due_before: dt.date | None,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
) -> None:
    """Record an event with a signatory's new deadline."""
    plan, due_on = signatory.plan, signatory.due_on
    record_event(
        plan,
        event,
        author=author,
        organisation=acting_organisation(plan, author),
        target=EventTarget.SIGNING,
        now=now,
        data={
            "title": plan.title,
            "reason": f"{signatory.organisation.name}: {reason}" if reason else signatory.organisation.name,
            "signatory": signatory.organisation_id,
            "before": {"decide_by": due_before.isoformat() if due_before else ""},
            "after": {"decide_by": due_on.isoformat() if due_on else ""},
        },
    )


@transaction.atomic
def change_due_day(
    *, signatory: Signatory, due_on: dt.date | None, reason: str, author: User, now: dt.datetime
) -> Signatory:
    """Change or remove a signatory's deadline. Raises `UnableToRequestSignOff`."""
    plan = lock_plan(signatory.plan)
    require(rights_over(plan, author, now).may_publish)
    signatory = Signatory.objects.select_related("plan", "organisation").get(pk=signatory.pk)
    if signatory.removed_at is not None or plan.is_over:
        raise UnableToRequestSignOff(
            f"{signatory.organisation.name} is no longer asked to sign this plan, so it needs no deadline."
        )
    if due_on is not None and due_on < timezone.localdate(now):
        raise UnableToRequestSignOff("The deadline must be today or later.")
    if not reason.strip():
        raise UnableToRequestSignOff("Enter a reason.")
    due_before = signatory.due_on
    if due_on == due_before:
        return signatory

    signatory.due_on = due_on
    signatory.escalated_at = None
    signatory.save(update_fields=["due_on", "escalated_at"])
    _record_deadline(
        signatory,
        EventKind.DUE_DAY_CHANGED,
        due_before=due_before,
        author=author,
        now=now,
        reason=reason.strip(),
    )
    return signatory


def _check_may_sign(plan: Plan, signatory: Signatory) -> None:
    """Raise `UnableToRequestSignOff` unless a new signatory is an owner or a party that may sign."""
    organisation = signatory.organisation
    if not signatory.role:
        raise UnableToRequestSignOff(f"Enter the role that signs for {organisation.name}.")
    if plan.owners.filter(organisation=organisation).exists():
        return

    accepted_parties = Party.objects.filter(partnership=plan.partnership_id, status=PartyStatus.ACCEPTED)
    party = accepted_parties.filter(organisation=organisation).first()
    if plan.partnership_id is None or party is None:
        raise UnableToRequestSignOff(
            f"{organisation.name} is neither an owner nor a partner of this plan. Choose another organisation."
        )
    if party.role == PartyRole.OBSERVER:
        raise UnableToRequestSignOff(
            f"{organisation.name} is an observer, and observers cannot sign. Choose another organisation."
        )
    if plan.audience == Audience.OWNERS:
        raise UnableToRequestSignOff(
            "Only its owners can read this plan. Change who can read the plan before you ask other organisations to "
            "sign it."
        )


def ask_all_again(plan: Plan, *, author: User | None, now: dt.datetime) -> None:
    """Ask every signatory that must decide to sign again. Lock the plan's row first."""
    for state in signing_states(plan):
        if state.must_decide:
            signatory = state.signatory
            _ask_again(signatory, due_on=_new_deadline(signatory, now), author=author, now=now)


@transaction.atomic
def remove_signatory(*, signatory: Signatory, author: User, reason: str, now: dt.datetime) -> None:
    """Stop asking an organisation to sign, but keep its decisions. Raises `UnableToRequestSignOff`."""
    plan = lock_plan(signatory.plan)
    require(rights_over(plan, author, now).may_publish)
    name = signatory.organisation.name
    present_signatories = plan.signatories.filter(removed_at=None)
    if not present_signatories.filter(pk=signatory.pk).exists():
        raise UnableToRequestSignOff(f"{name} is no longer asked to sign this plan, so you do not need to do anything.")
    if plan.is_awaiting_sign_off and not present_signatories.exclude(pk=signatory.pk).exists():
        raise UnableToRequestSignOff(f"{name} is the only organisation asked to sign. Ask another organisation first.")

    stop_asking(plan, signatory, reason=reason, author=author, now=now)
    agree_if_fully_signed(plan, author=author, now=now)


def stop_asking(plan: Plan, signatory: Signatory, *, reason: str, author: User | None, now: dt.datetime) -> None:
    """Stop asking a signatory, and record this in the journal. Lock the plan's row first."""
    signatory.removed_at = now
    signatory.save(update_fields=["removed_at"])
    journal.note(SIGNATORY, now=now, signatory=signatory.pk, same=signatory_identity(signatory))
    record_event(
        plan,
        EventKind.SIGN_OFF_NOT_ASKED,
        author=author,
        organisation=acting_organisation(plan, author) if author is not None else None,
        target=EventTarget.SIGNING,
        now=now,
        data={"title": plan.title, "reason": reason, "signatory": signatory.organisation_id},
    )


def renew_link(signatory: Signatory, *, now: dt.datetime) -> None:
    """Make all links sent to a signatory invalid."""
    end_links(signatory, line=LINKS, same=signatory_identity(signatory), now=now)


def signatory_identity(signatory: Signatory) -> str:
    """Return a hash that identifies a signatory in the journal, made from its plan and organisation."""
    plan, organisation = signatory.plan, signatory.organisation
    return journal.identity(plan.pk, plan.created_at, organisation.pk, organisation.created_at)


def release_signatories(*, now: dt.datetime) -> int:
    """Stop asking the organisations that no longer take part, and return how many they are.

    Their decisions remain. This is safe to run twice or late.
    """
    former_signatories = (
        Signatory.objects.filter(removed_at=None, plan__status=Status.AWAITING_SIGN_OFF)
        .annotate(takes_part=takes_part_condition())
        .filter(takes_part=False)
    )
    plan_ids = former_signatories.order_by("plan").values_list("plan", flat=True).distinct()
    return sum(_release_signatories_of(pk, now) for pk in plan_ids)


@transaction.atomic
def _release_signatories_of(plan_pk: int, now: dt.datetime) -> int:
    """Stop asking the signatories of one plan that no longer take part, and return how many they are."""
    plan = lock_plan(Plan(pk=plan_pk))
    # Query the signatories again under the lock, because a party may have returned since the first query.
    former_signatories = [state.signatory for state in signing_states(plan) if state.code == "left"]
    for signatory in former_signatories:
        reason = f"{signatory.organisation.name} no longer takes part in this plan."
        stop_asking(plan, signatory, reason=reason, author=None, now=now)
    agree_if_fully_signed(plan, author=None, now=now)
    return len(former_signatories)
