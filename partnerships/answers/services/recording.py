"""Record the events of answers and questions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.follower_notices import follower_notice_of
from partnerships.activity.services import record
from partnerships.activity.subjects import SubjectKind
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

    If digests report this kind of event to followers of the plan, they also report it to followers of the plan's
    partnership and owners. `data` must not contain a stakeholder's text, because the log remains when the text is
    deleted.
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
        also=_further_subjects(plan) if follower_notice_of(event.value) else (),
    )


def _further_subjects(plan: Plan) -> list[tuple[SubjectKind, int]]:
    """Return the plan's owners and partnership, whose followers get the news of the answer too."""
    owners = plan.owners.filter(ended_at=None).values_list("organisation", flat=True)
    subjects = [(SubjectKind.ORGANISATION, owner) for owner in owners]
    if plan.partnership_id:
        subjects.append((SubjectKind.PARTNERSHIP, plan.partnership_id))
    return subjects


def record_answered(answer: Answer, *, now: dt.datetime) -> None:
    """Record that an answer to a question is shown from now on. Does nothing for other kinds of answer."""
    if answer.question is None:
        return
    record_event(
        answer.plan,
        EventKind.QUESTION_ANSWERED,
        author=answer.person,
        target_kind="answers_to_question",
        target_id=answer.question.pk,
        now=now,
        after={"question": answer.question.title},
    )
