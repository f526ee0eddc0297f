"""Recording events of answers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.activity.subjects import SubjectKind
from partnerships.activity.telling import told_of
from partnerships.answers.event_kinds import EventKind
from partnerships.answers.models import Answer
from partnerships.people.models import User
from partnerships.plans.models import Plan


def record_event(
    plan: Plan,
    event: EventKind,
    *,
    author: User | None,
    target_kind: str,
    target_id: int,
    organisation_id: int | None = None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record an event of an answer or a question, within its plan.

    If followers are told, those of the plan's partnership and owners are too. Without the words of a stakeholder: the
    log outlives them.
    """
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation_id,
        kind=event,
        target_kind=target_kind,
        target_id=target_id,
        within_kind="plan",
        within_id=plan.pk,
        now=now,
        data={"title": plan.title, **data},
        also=_also_told(plan) if told_of(event.value) else (),
    )


def _also_told(plan: Plan) -> list[tuple[SubjectKind, int]]:
    """The plan's partnership and its owners, whose followers hear of it too."""
    owners = plan.owners.filter(ended_at=None).values_list("organisation", flat=True)
    subjects = [(SubjectKind.ORGANISATION, owner) for owner in owners]
    if plan.partnership_id:
        subjects.append((SubjectKind.PARTNERSHIP, plan.partnership_id))
    return subjects


def record_answered(answer: Answer, *, now: dt.datetime) -> None:
    """Record that an answer to a question is shown from now on.

    The log has no words of it.
    """
    if answer.question is not None:
        record_event(
            answer.plan,
            EventKind.QUESTION_ANSWERED,
            author=answer.person,
            target_kind="answers_to_question",
            target_id=answer.question.pk,
            now=now,
            after={"question": answer.question.title},
        )
