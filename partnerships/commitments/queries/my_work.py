"""The tasks of the commitments room in My work."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from partnerships.commitments.models import (
    ACTION_VERIFIERS,
    CONFIRMERS,
    UNDER_WAY_STATUSES,
    VERIFIERS,
    Commitment,
    CommitmentQuerySet,
    Kind,
    Status,
)
from partnerships.commitments.queries.listings import sorted_by_due_date
from partnerships.kit.addresses import page_address
from partnerships.kit.text import cut
from partnerships.kit.waiting import TaskRows, Urgency, WaitingTask, urgency
from partnerships.organisations.audience import Organisations, People, Reach, reach_lookup, record_ids_by_reach
from partnerships.organisations.holdings import for_a_few_records, id_is_among
from partnerships.organisations.models import Role
from partnerships.organisations.statements import rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User

#: How long before its due date a commitment appears in My work of its owner.
SOON = dt.timedelta(days=14)
_LEAD = (Role.LEAD,)


def due_soon(user: User, now: dt.datetime) -> list[Commitment]:
    """Return the person's own commitments that are overdue or due within `SOON`."""
    last = timezone.localdate(now) + SOON
    due = Commitment.objects.visible_to(user).filter(owner=user, due_on__lte=last).under_way()
    return list(sorted_by_due_date(due).for_listing())


#: The title of the task for each step, and the field with the time since when the task has been waiting. The steps are
#: in the order of `_reaches_of_steps`. If a commitment is waiting for several steps, My work shows the last of them.
_STEPS = (
    ("Accept this action", "proposed_at"),
    ("Help unblock this", "escalated_at"),
    ("Name an owner", "status_since"),
    ("Deliver this", "status_since"),
    ("Verify this delivery", "done_at"),
    ("Verify the action", "done_at"),
    ("Confirm this commitment", "proposed_at"),
    ("Accept this action", "proposed_at"),
)


def _reaches_of_steps(
    now: dt.datetime, proposed: CommitmentQuerySet | None = None, verifier: User | None = None
) -> tuple[Reach, ...]:
    """Return the commitments that wait for each of the `_STEPS`, and the people who must take the step.

    With `proposed`, only these proposed commitments are included. With `verifier`, the actions that this person owns or
    reported done are left out, because another person must verify them.
    """
    done = Commitment.objects.awaiting_verification()
    done_by_others = done
    if verifier is not None:
        done_by_others = done.exclude(Q(kind=Kind.ACTION) & (Q(done_by=verifier) | Q(owner=verifier)))
    under_way = Commitment.objects.under_way()
    ownerless = under_way.filter(owner=None, giver__isnull=False)
    due_within_soon = under_way.filter(due_on__lte=timezone.localdate(now) + SOON)
    if proposed is None:
        proposed = Commitment.objects.filter(status=Status.PROPOSED)
    actions_to_accept = Commitment.objects.filter(kind=Kind.ACTION, status=Status.PROPOSED)
    owner, helper = People("owner"), People("escalated_to", when=~Q(owner=F("escalated_to")))
    return (
        Reach(actions_to_accept, (owner,)),
        Reach(under_way, (helper,)),
        Reach(ownerless, (Organisations("owner_organisation", roles=_LEAD),)),
        Reach(due_within_soon, (owner,)),
        Reach(done, VERIFIERS),
        Reach(done_by_others, ACTION_VERIFIERS),
        Reach(proposed.filter(kind=Kind.COMMITMENT), CONFIRMERS),
        Reach(proposed.filter(kind=Kind.ACTION), (Organisations("giver", roles=_LEAD),)),
    )


def _reaches_for(user: User, now: dt.datetime) -> tuple[Reach, ...]:
    """Return the commitments that wait for each step, without those that the person cannot confirm or verify."""
    return _reaches_of_steps(now, proposed=Commitment.objects.awaiting_confirmation_by(user), verifier=user)


def _rows_to_show(user: User, ids: list[int]) -> QuerySet[Commitment, dict[str, Any]]:
    """Return the columns of these commitments that tasks show, as far as the person may see the commitments."""
    times = ("proposed_at", "escalated_at", "status_since", "done_at")
    fields = ("pk", "reference", "text", "due_on", "status", "partnership__title", *times)
    with for_a_few_records():
        commitments = Commitment.objects.visible_to(user).filter(id_is_among("pk", ids)).order_by("pk")
    rows: QuerySet[Commitment, dict[str, Any]] = commitments.values(*fields)
    return rows


def _step_tasks(user: User, now: dt.datetime) -> TaskRows:
    """Return a task for each commitment that is waiting for the person, the most urgent first."""
    ids_by_step = record_ids_by_reach(_reaches_for, user, now)
    steps_by_commitment: dict[int, tuple[str, str]] = {}
    for position, step in enumerate(_STEPS):
        steps_by_commitment |= dict.fromkeys(ids_by_step[position], step)
    labels = dict(Status.choices)

    def due_date(row: dict[str, Any]) -> dt.date | None:
        return row["due_on"] if row["status"] in UNDER_WAY_STATUSES else None

    def urgency_of(row: dict[str, Any]) -> Urgency:
        _, since_field = steps_by_commitment[row["pk"]]
        return urgency(due_date(row), row[since_field], row["pk"])

    def make_task(row: dict[str, Any]) -> WaitingTask:
        task_title, since_field = steps_by_commitment[row["pk"]]
        return WaitingTask(
            action=task_title,
            title=f"{row['reference']} {cut(row['text'], 90)}",
            path=page_address("commitments:detail", row["pk"]),
            since=row[since_field],
            due=due_date(row),
            partnership_title=row["partnership__title"] or "",
            status=row["status"],
            status_label=str(labels[row["status"]]),
        )

    rows = rows_for(_rows_to_show, user, list(steps_by_commitment)) if steps_by_commitment else []
    return TaskRows(sorted(rows, key=urgency_of), make_task, due_date)


#: The tasks of this room in My work.
TASK_SOURCES = (
    TaskSource(
        _step_tasks,
        _reaches_of_steps,
        is_usual=True,
        lookups=lambda user, now: (reach_lookup(_reaches_for, user, now),),
    ),
)
