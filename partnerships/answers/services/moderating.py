"""Decide about answers, as a lead of an owner of the plan, and trust stakeholders."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.answers.event_kinds import EventKind
from partnerships.answers.models import Answer, AnswerStatus, Trust
from partnerships.answers.models.answers import WITH_TEXT
from partnerships.answers.services.recording import record_answered, record_event
from partnerships.digests.services import UnableToSubscribe, add_stakeholder
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import record_email
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.rights import rights_over
from partnerships.plans.services.recording import lock_plan

#: The most characters in the reason for refusing an answer.
MAX_REASON = 1_000
#: The journal's name for trust that ended.
TRUST = "trust"


class UnableToDecide(Exception):
    """The answer has already been decided, the trust has ended, or the reason is missing."""


def trust_identity(trust: Trust) -> str:
    """Return a hash that identifies trust in the journal, made from its organisation and person."""
    organisation, person = trust.organisation, trust.person
    return journal.identity(person.pk, person.joined_at, organisation.pk, organisation.created_at)


@transaction.atomic
def approve_answer(*, answer: Answer, author: User, now: dt.datetime) -> None:
    """Show an answer to readers inside the plan. Raises `UnableToDecide`."""
    plan, answer, organisation = _lock_for_decision(answer, author, now)
    if answer.names_a_colleague:
        raise UnableToDecide("This answer names a colleague. Ask the colleague, or refuse the answer.")
    _save_decision(plan, answer, AnswerStatus.SHOWN, EventKind.APPROVED, organisation, author=author, now=now)
    record_answered(answer, now=now)


@transaction.atomic
def refuse_answer(*, answer: Answer, reason: str, author: User, now: dt.datetime) -> None:
    """Refuse an answer, and email the reason to the person. Raises `UnableToDecide`."""
    plan, answer, organisation = _lock_for_decision(answer, author, now)
    answer.reason = reason.replace("\r\n", "\n").strip()[:MAX_REASON]
    if not answer.reason:
        raise UnableToDecide("Enter the reason. We will email it to the person who answered.")
    _save_decision(plan, answer, AnswerStatus.REFUSED, EventKind.REFUSED, organisation, author=author, now=now)
    record_email(
        kind="answers.refused",
        person_id=answer.person_id,
        params={"answer": answer.pk},
        sender_id=organisation.pk,
        now=now,
    )


@transaction.atomic
def ask_named_colleague(*, answer: Answer, author: User, now: dt.datetime) -> None:
    """Email the named colleague, who gets no other email until they confirm. Raises `UnableToDecide`."""
    plan, answer, organisation = _lock_for_decision(answer, author, now)
    if not answer.names_a_colleague:
        raise UnableToDecide("This answer does not name a colleague. Approve or refuse it instead.")
    try:
        add_stakeholder(
            email=answer.colleague_email,
            name=answer.colleague_name,
            target=plan,
            author=author,
            organisation=organisation,
            why="a colleague thought that the plan concerns you",
            now=now,
        )
    except UnableToSubscribe as error:
        raise UnableToDecide(str(error)) from error
    _save_decision(plan, answer, AnswerStatus.SHOWN, EventKind.COLLEAGUE_ASKED, organisation, author=author, now=now)


@transaction.atomic
def trust_person(*, person: User, organisation: Organisation, author: User, now: dt.datetime) -> Trust:
    """Trust a stakeholder, as a lead of an organisation.

    From now on, the stakeholder's answers about the organisation's plans are shown without approval, and those
    waiting for approval are approved. Does nothing if the organisation already trusts the stakeholder.
    """
    require(roles_of(author, now).leads(organisation.pk) and person.is_stakeholder and person.is_active)
    trust, is_new = Trust.objects.get_or_create(
        person=person, organisation=organisation, ended_at=None, defaults={"set_by": author, "set_at": now}
    )
    if not is_new:
        return trust

    _record_trust(trust, EventKind.TRUSTED, author=author, now=now)
    owned_plans = Plan.objects.owned_by(organisation).values("pk")
    waiting_answers = Answer.objects.waiting().filter(person=person, kind__in=WITH_TEXT, plan__in=owned_plans)
    for answer in waiting_answers.select_related("plan").order_by("plan", "pk"):
        approve_answer(answer=answer, author=author, now=now)
    return trust


@transaction.atomic
def end_trust(*, trust: Trust, author: User | None, now: dt.datetime) -> None:
    """End trust in a stakeholder. New answers need approval again, but those already shown remain shown.

    Only leads of the organisation may end it; `author` is None after a restore. Raises `UnableToDecide`.
    """
    roles = roles_of(author, now)
    require(roles.is_system or roles.leads(trust.organisation_id))
    trust = Trust.objects.select_for_update(of=("self",)).select_related("person", "organisation").get(pk=trust.pk)
    if trust.ended_at is not None:
        raise UnableToDecide("Your organisation no longer trusts this person, so you do not need to do anything.")

    trust.ended_at = now
    trust.ended_by = author
    trust.save(update_fields=["ended_at", "ended_by"])
    journal.note(TRUST, now=now, trust=trust.pk, same=trust_identity(trust))
    _record_trust(trust, EventKind.TRUST_ENDED, author=author, now=now)


def _record_trust(trust: Trust, event: EventKind, *, author: User | None, now: dt.datetime) -> None:
    """Record an event about trust on its organisation."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=trust.organisation_id,
        kind=event,
        target_kind="organisation",
        target_id=trust.organisation_id,
        now=now,
        data={"person": trust.person_id},
    )


def _lock_for_decision(answer: Answer, author: User, now: dt.datetime) -> tuple[Plan, Answer, Organisation]:
    """Lock the plan and the answer, and return both with the owner for which the author decides.

    This is the first owner by name that the author leads. Raises `UnableToDecide`.
    """
    plan = lock_plan(answer.plan)
    rights = rights_over(plan, author, now)
    led_owner_ids = rights.roles.led_among(rights.owner_ids)
    require(bool(led_owner_ids))
    answer = Answer.objects.select_for_update(of=("self",)).select_related("person", "question").get(pk=answer.pk)
    if not answer.is_waiting:
        status = answer.get_status_display().lower()
        raise UnableToDecide(f"This answer is already {status}, so you do not need to decide about it.")
    owner = Organisation.objects.filter(pk__in=led_owner_ids).order_by("name", "pk")[0]
    return plan, answer, owner


def _save_decision(
    plan: Plan,
    answer: Answer,
    status: AnswerStatus,
    event: EventKind,
    organisation: Organisation,
    *,
    author: User,
    now: dt.datetime,
) -> None:
    """Save the decision and who made it, and record its event."""
    answer.status = status
    answer.decided_at = now
    answer.decided_by = author
    answer.decided_for = organisation
    answer.save(update_fields=["status", "decided_at", "decided_by", "decided_for", "reason"])
    record_event(
        plan,
        event,
        author=author,
        organisation_id=organisation.pk,
        target_kind="plan_answer",
        target_id=answer.pk,
        now=now,
        before={"status": AnswerStatus.WAITING.value},
        after={"status": status.value},
    )
