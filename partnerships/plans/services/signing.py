"""Sign a version, confirm conditions, and settle the plan's status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from django.db import IntegrityError, transaction

from partnerships.documents.services import InvalidAnswers, read_answers
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import ConditionMet, Decision, Plan, Signatory, SignOff, Status
from partnerships.plans.queries import signing_states, version_number_to_sign
from partnerships.plans.rights import rights_over
from partnerships.plans.services.recording import lock_plan, record_event

NO_ANSWERS: Mapping[str, str] = MappingProxyType({})


class UnableToSign(Exception):
    """The organisation may not decide now, or the version is not the newest."""


_EVENT_OF_DECISION = {
    Decision.APPROVED: EventKind.VERSION_APPROVED,
    Decision.CONDITIONAL: EventKind.VERSION_APPROVED_WITH_CONDITION,
    Decision.REJECTED: EventKind.VERSION_REJECTED,
}


@transaction.atomic
def sign_off(
    *,
    plan: Plan,
    number: int,
    organisation: Organisation,
    person: User,
    decision: str,
    reason: str = "",
    answers: Mapping[str, str] = NO_ANSWERS,
    now: dt.datetime,
) -> SignOff:
    """Record an organisation's decision on a version.

    An organisation decides once on a version. A condition or a rejection needs a reason, and is emailed to the owners'
    leads. `answers` are the answers to the signatory's questions, by question. Only a rejection may leave questions
    unanswered. With the last approval, the plan becomes agreed. Raises `UnableToSign`.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, person, now).may_sign_for(organisation.pk))
    reason = reason.strip()
    _check_decision(decision, reason)
    _check_version(plan, number)
    signatory = _signatory_to_decide(plan, organisation, number)
    valid_answers = _valid_answers(signatory, answers, decision)

    new_sign_off = SignOff(
        plan=plan,
        version=plan.versions.get(number=number),
        organisation=organisation,
        person=person,
        role=signatory.role,
        decision=decision,
        reason=reason if decision != Decision.APPROVED else "",
        answers=valid_answers,
        signed_at=now,
    )
    _insert_once(new_sign_off)
    _record_decision(new_sign_off, now=now)
    if decision != Decision.APPROVED:
        _email_decision(new_sign_off, now=now)
    agree_if_fully_signed(plan, author=person, now=now)
    return new_sign_off


def _valid_answers(signatory: Signatory, answers: Mapping[str, str], decision: str) -> list[dict[str, str]]:
    """Return the signatory's questions with valid answers. Raises `UnableToSign`."""
    try:
        return read_answers(signatory.questions, answers, decision)
    except InvalidAnswers as error:
        raise UnableToSign(str(error)) from error


def _insert_once(sign_off: SignOff) -> None:
    """Insert a decision. Raises `UnableToSign` if a colleague has decided on the version before."""
    try:
        # A savepoint, because after the error of a constraint PostgreSQL would refuse all further queries.
        with transaction.atomic():
            sign_off.save(force_insert=True)
    except IntegrityError as error:
        raise UnableToSign(
            f"A colleague has already decided for {sign_off.organisation.name}, so you do not need to decide."
        ) from error


def _record_decision(sign_off: SignOff, *, now: dt.datetime) -> None:
    """Record the event of a decision."""
    record_event(
        sign_off.plan,
        _EVENT_OF_DECISION[Decision(sign_off.decision)],
        author=sign_off.person,
        organisation=sign_off.organisation,
        target=EventTarget.SIGNING,
        now=now,
        data={
            "title": sign_off.plan.title,
            "number": sign_off.version.number,
            "after": {"decision": sign_off.decision},
            "reason": sign_off.reason,
        },
    )


def _check_decision(decision: str, reason: str) -> None:
    """Raise `UnableToSign` for an unknown decision, or for a condition or rejection without a reason."""
    if decision not in Decision.values:
        raise UnableToSign("Choose approve, approve with a condition, or reject.")
    if decision == Decision.CONDITIONAL and not reason:
        raise UnableToSign("Enter the condition.")
    if decision == Decision.REJECTED and not reason:
        raise UnableToSign("Enter a reason.")


def _check_version(plan: Plan, number: int) -> None:
    """Raise `UnableToSign` unless the plan is awaiting sign-off and this is the version to sign."""
    if not plan.is_awaiting_sign_off:
        raise UnableToSign(f"This plan is {plan.get_status_display().lower()}, so nobody needs to sign it now.")
    newest = version_number_to_sign(plan)
    if number != newest:
        raise UnableToSign(f"Version {newest} has been published since. Read what changed before you decide.")


def _signatory_to_decide(plan: Plan, organisation: Organisation, number: int) -> Signatory:
    """Return the signatory of an organisation that may decide on this version.

    Raises `UnableToSign` if the organisation was not asked, no longer takes part or has already decided.
    """
    signatory = plan.signatories.filter(organisation=organisation, removed_at=None).first()
    if signatory is None:
        raise UnableToSign(
            f"{organisation.name} is not asked to sign this plan. A lead of an owner can ask it to sign."
        )
    state = next(state for state in signing_states(plan) if state.signatory.pk == signatory.pk)
    if not state.takes_part:
        raise UnableToSign(f"{organisation.name} no longer takes part in this plan, so it cannot sign.")
    if state.sign_off is not None and not state.may_decide_on(number):
        raise UnableToSign(
            f"{state.sign_off.person.display_name} has already decided for {organisation.name}: "
            f"{state.sign_off.get_decision_display().lower()}."
        )
    return signatory


def _email_decision(sign_off: SignOff, *, now: dt.datetime) -> None:
    """Email the leads of the owners about a rejection or a condition."""
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
    """Confirm that a condition is met, on behalf of the organisation that set it.

    Raises `UnableToSign`, also if the organisation no longer takes part.
    """
    plan = lock_plan(sign_off.plan)
    require(rights_over(plan, person, now).may_meet(sign_off))
    _check_condition_is_open(plan, sign_off)

    confirmation = ConditionMet.objects.create(sign_off=sign_off, person=person, note=note_text.strip(), at=now)
    record_event(
        plan,
        EventKind.CONDITION_MET,
        author=person,
        organisation=sign_off.organisation,
        target=EventTarget.SIGNING,
        now=now,
        data={"title": plan.title, "number": sign_off.version.number, "reason": confirmation.note},
    )
    agree_if_fully_signed(plan, author=person, now=now)
    return confirmation


def _check_condition_is_open(plan: Plan, sign_off: SignOff) -> None:
    """Raise `UnableToSign` unless the decision is valid and its condition is still to be confirmed."""
    state_by_sign_off = {state.sign_off.pk: state for state in signing_states(plan) if state.sign_off is not None}
    state = state_by_sign_off.get(sign_off.pk)
    if state is None or not sign_off.is_conditional:
        raise UnableToSign(
            "This decision has no condition or no longer counts, so you do not need to confirm anything."
        )
    if state.code == "met":
        raise UnableToSign(
            "A colleague has already confirmed that the condition is met, so you do not need to confirm it."
        )
    if not state.takes_part:
        raise UnableToSign(
            f"{sign_off.organisation.name} no longer takes part in this plan, so it cannot confirm its condition."
        )


def agree_if_fully_signed(plan: Plan, *, author: User | None, now: dt.datetime) -> None:
    """Change the status to agreed if all signatories have approved and all conditions are met."""
    if not plan.is_awaiting_sign_off:
        return
    states = signing_states(plan)
    # The state of a signatory that left is settled too, so all may be settled although nobody approved the plan.
    if not all(state.is_settled for state in states) or not any(state.has_approved for state in states):
        return

    plan.status = Status.AGREED
    plan.save(update_fields=["status"])
    record_event(
        plan,
        EventKind.AGREED,
        author=author,
        now=now,
        data={
            "title": plan.title,
            "number": version_number_to_sign(plan),
            "reason": "Every required signatory has approved.",
            "before": {"status": Status.AWAITING_SIGN_OFF.value},
            "after": {"status": Status.AGREED.value},
        },
    )
