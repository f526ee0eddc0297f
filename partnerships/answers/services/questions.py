"""Ask questions about a published plan, as an owner."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.answers.event_kinds import EventKind
from partnerships.answers.models import PlanQuestion
from partnerships.answers.services.recording import record_event
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.rights import rights_over
from partnerships.plans.services.recording import acting_organisation, lock_plan

#: The most open questions about a plan.
MAX_OPEN = 10
#: The most characters in the title of a question.
MAX_TITLE = 200
#: The most characters in the details of a question.
MAX_BODY = 5_000


class UnableToAsk(Exception):
    """The plan is not published or is over, or the question is empty, too long or closed."""


@transaction.atomic
def ask_question(
    *, plan: Plan, title: str, body: str, closes_on: dt.date, author: User, now: dt.datetime
) -> PlanQuestion:
    """Ask the readers of a published plan a question, as a lead of an owner. Raises `UnableToAsk`."""
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).leads_owner)
    title = " ".join(title.split())
    body = body.replace("\r\n", "\n").strip()
    _check_question(plan, title, body, closes_on, now)

    organisation = acting_organisation(plan, author)
    assert organisation is not None  # the author leads an owner
    question = PlanQuestion.objects.create(
        plan=plan,
        title=title,
        body=body,
        closes_on=closes_on,
        organisation=organisation,
        asked_by=author,
        asked_at=now,
    )

    record_event(
        plan,
        EventKind.QUESTION_PUT,
        author=author,
        organisation_id=organisation.pk,
        target_kind="plan_question",
        target_id=question.pk,
        now=now,
        after={"question": title, "closes": closes_on.isoformat()},
    )
    return question


def _check_question(plan: Plan, title: str, body: str, closes_on: dt.date, now: dt.datetime) -> None:
    """Raise `UnableToAsk` if the plan cannot have another question, or the question is incomplete."""
    if plan.is_over:
        raise UnableToAsk("This plan is closed or superseded, so you can no longer ask questions about it.")
    if not plan.is_published:
        raise UnableToAsk("Publish the plan first. You can then ask questions about it.")
    if not title:
        raise UnableToAsk("Enter the question.")
    if len(title) > MAX_TITLE or len(body) > MAX_BODY:
        raise UnableToAsk(
            f"Shorten the question to {MAX_TITLE} characters, and its details to {MAX_BODY:,} characters."
        )
    if closes_on < timezone.localdate(now):
        raise UnableToAsk("The last day for answers cannot be in the past. Choose today or a later day.")
    if PlanQuestion.objects.open_at(now).filter(plan=plan).count() >= MAX_OPEN:
        raise UnableToAsk(f"A plan can have up to {MAX_OPEN} open questions. Close one first.")


@transaction.atomic
def close_question(*, question: PlanQuestion, author: User, now: dt.datetime) -> None:
    """Close a question before its last day, as a lead of an owner. Raises `UnableToAsk`."""
    plan = lock_plan(question.plan)
    require(rights_over(plan, author, now).leads_owner)
    question = PlanQuestion.objects.select_for_update(no_key=True).get(pk=question.pk)
    if not question.is_open(now):
        raise UnableToAsk("This question is already closed, so you do not need to close it.")
    question.closed_at = now
    question.save(update_fields=["closed_at"])
    organisation = acting_organisation(plan, author)
    record_event(
        plan,
        EventKind.QUESTION_CLOSED,
        author=author,
        organisation_id=organisation.pk if organisation else None,
        target_kind="plan_question",
        target_id=question.pk,
        now=now,
        before={"question": question.title},
    )
