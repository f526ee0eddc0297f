"""What leads of an owner decide about answers."""

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

#: Characters of the reason for refusing an answer.
MAX_REASON = 1_000
#: The journal's name for trust that ended.
TRUST = "trust"


class UnableToDecide(Exception):
    """It was decided before, or the reason is missing."""


def trust_identity(trust: Trust) -> str:
    """The journal's hash of an organisation and the person it trusts."""
    organisation, person = trust.organisation, trust.person
    return journal.identity(person.pk, person.joined_at, organisation.pk, organisation.created_at)


@transaction.atomic
def approve_answer(*, answer: Answer, author: User, now: dt.datetime) -> None:
    """Show an answer to readers inside the plan. Raises `UnableToDecide`."""
    plan, answer, organisation = _deciding(answer, author, now)
    if answer.names_a_colleague:
        raise UnableToDecide("Choose whether to ask the colleague or refuse.")
    _settle(plan, answer, AnswerStatus.SHOWN, EventKind.APPROVED, organisation, author=author, now=now)
    record_answered(answer, now=now)


@transaction.atomic
def refuse_answer(*, answer: Answer, reason: str, author: User, now: dt.datetime) -> None:
    """Refuse an answer; the person gets the reason by email. Raises `UnableToDecide`."""
    plan, answer, organisation = _deciding(answer, author, now)
    answer.reason = reason.replace("\r\n", "\n").strip()[:MAX_REASON]
    if not answer.reason:
        raise UnableToDecide("Give a reason. We will send it to them.")
    _settle(plan, answer, AnswerStatus.REFUSED, EventKind.REFUSED, organisation, author=author, now=now)
    record_email(
        kind="answers.refused",
        person_id=answer.person_id,
        params={"answer": answer.pk},
        sender_id=organisation.pk,
        now=now,
    )


@transaction.atomic
def ask_named_colleague(*, answer: Answer, author: User, now: dt.datetime) -> None:
    """Ask the colleague by email; they get nothing else until they confirm. Raises `UnableToDecide`."""
    plan, answer, organisation = _deciding(answer, author, now)
    if not answer.names_a_colleague:
        raise UnableToDecide("This answer does not name anybody.")
    try:
        add_stakeholder(
            email=answer.colleague_email,
            name=answer.colleague_name,
            target=plan,
            author=author,
            organisation=organisation,
            why="a colleague thought that it concerns you",
            now=now,
        )
    except UnableToSubscribe as error:
        raise UnableToDecide(str(error)) from error
    _settle(plan, answer, AnswerStatus.SHOWN, EventKind.COLLEAGUE_ASKED, organisation, author=author, now=now)


@transaction.atomic
def trust_person(*, person: User, organisation: Organisation, author: User, now: dt.datetime) -> Trust:
    """Show a stakeholder's answers about an organisation's plans at once.

    Answers that already wait are shown too. For its leads. Does nothing if it trusts them already.
    """
    require(roles_of(author, now).lead(organisation.pk) and person.is_stakeholder and person.is_active)
    trust, made = Trust.objects.get_or_create(
        person=person, organisation=organisation, ended_at=None, defaults={"set_by": author, "set_at": now}
    )
    if not made:
        return trust
    _record_trust(trust, EventKind.TRUSTED, author=author, now=now)
    owned = Plan.objects.owned_by(organisation)
    waiting = Answer.objects.waiting().filter(person=person, kind__in=WITH_TEXT, plan__in=owned.values("pk"))
    for answer in waiting.select_related("plan").order_by("plan", "pk"):
        approve_answer(answer=answer, author=author, now=now)
    return trust


@transaction.atomic
def end_trust(*, trust: Trust, author: User | None, now: dt.datetime) -> None:
    """Approve a stakeholder's answers one by one again; what is shown stays.

    For its leads; without an author after a restore. Raises `UnableToDecide`.
    """
    require(roles_of(author, now).is_system or roles_of(author, now).lead(trust.organisation_id))
    locked = Trust.objects.select_for_update(of=("self",)).select_related("person", "organisation").get(pk=trust.pk)
    if locked.ended_at is not None:
        raise UnableToDecide("This has already ended.")
    locked.ended_at, locked.ended_by = now, author
    locked.save(update_fields=["ended_at", "ended_by"])
    journal.note(TRUST, now=now, trust=locked.pk, same=trust_identity(locked))
    _record_trust(locked, EventKind.TRUST_ENDED, author=author, now=now)


def _record_trust(trust: Trust, event: EventKind, *, author: User | None, now: dt.datetime) -> None:
    record(
        actor_id=author.pk if author else None,
        organisation_id=trust.organisation_id,
        kind=event,
        target_kind="organisation",
        target_id=trust.organisation_id,
        now=now,
        data={"person": trust.person_id},
    )


def _deciding(answer: Answer, author: User, now: dt.datetime) -> tuple[Plan, Answer, Organisation]:
    """The plan, the locked answer, and the owner that the author leads."""
    plan = lock_plan(answer.plan)
    rights = rights_over(plan, author, now)
    led = rights.roles.led_among(rights.owners)
    require(bool(led))
    locked = Answer.objects.select_for_update(of=("self",)).select_related("person", "question").get(pk=answer.pk)
    if not locked.is_waiting:
        raise UnableToDecide(f"Somebody has already decided: {locked.get_status_display().lower()}.")
    return plan, locked, Organisation.objects.filter(pk__in=led).order_by("name", "pk")[0]


def _settle(
    plan: Plan,
    answer: Answer,
    status: AnswerStatus,
    event: EventKind,
    organisation: Organisation,
    *,
    author: User,
    now: dt.datetime,
) -> None:
    """Store the decision and who took it, and record it with the plan."""
    answer.status, answer.decided_at, answer.decided_by, answer.decided_for = status, now, author, organisation
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
