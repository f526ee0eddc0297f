"""What commitments add to a person's work."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from partnerships.commitments.models import (
    CONFIRMING,
    UNDER_WAY,
    VERIFYING,
    VERIFYING_ACTIONS,
    Commitment,
    CommitmentQuerySet,
    Kind,
    Status,
)
from partnerships.commitments.queries.listings import in_order
from partnerships.kit.text import cut
from partnerships.kit.waiting import InOrder, Urgency, Waiting, addresses, urgency
from partnerships.organisations.audience import Organisations, People, Reach, reach_lookup, sorted_by_reach
from partnerships.organisations.holdings import among, one_by_one
from partnerships.organisations.models import Role
from partnerships.organisations.statements import rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: How far ahead "due soon" looks.
SOON = dt.timedelta(days=14)
_LEAD = (Role.LEAD,)


def due_soon(user: User, now: dt.datetime) -> list[Commitment]:
    """The person's own commitments that are overdue or due within `SOON`."""
    last = timezone.localdate(now) + SOON
    due = Commitment.objects.visible_to(user).filter(owner=user, due_on__lte=last).under_way()
    return list(in_order(due).for_listing())


#: What waits and since when, in the order of `_waits`. If a commitment waits for several reasons, the last counts.
_WHAT_AND_SINCE = (
    ("Accept this action", "proposed_at"),
    ("Help unblock this", "escalated_at"),
    ("Name an owner", "status_since"),
    ("Deliver this", "status_since"),
    ("Verify this delivery", "done_at"),
    ("Verify the action", "done_at"),
    ("Confirm this commitment", "proposed_at"),
    ("Accept this action", "proposed_at"),
)


def _waits(
    now: dt.datetime, proposed: CommitmentQuerySet | None = None, verifier: User | None = None
) -> tuple[Reach, ...]:
    """What waits for which people, in the order of `_WHAT_AND_SINCE`.

    `proposed` narrows the ones to confirm, `verifier` the actions to
    verify to those of others.
    """
    done = Commitment.objects.awaiting_verification()
    own = Q(kind=Kind.ACTION) & (Q(done_by=verifier) | Q(owner=verifier))
    under_way = Commitment.objects.under_way()
    ownerless = under_way.filter(owner=None, giver__isnull=False)
    soon = under_way.filter(due_on__lte=timezone.localdate(now) + SOON)
    if proposed is None:
        proposed = Commitment.objects.filter(status=Status.PROPOSED)
    own_actions = Commitment.objects.filter(kind=Kind.ACTION, status=Status.PROPOSED)
    promised, actions = proposed.filter(kind=Kind.COMMITMENT), proposed.filter(kind=Kind.ACTION)
    owner, helper = People("owner"), People("escalated_to", when=~Q(owner=F("escalated_to")))
    return (
        Reach(own_actions, (owner,)),
        Reach(under_way, (helper,)),
        Reach(ownerless, (Organisations("owner_organisation", roles=_LEAD),)),
        Reach(soon, (owner,)),
        Reach(done, VERIFYING),
        Reach(done if verifier is None else done.exclude(own), VERIFYING_ACTIONS),
        Reach(promised, CONFIRMING),
        Reach(actions, (Organisations("giver", roles=_LEAD),)),
    )


def _waits_for(user: User, now: dt.datetime) -> tuple[Reach, ...]:
    return _waits(now, proposed=Commitment.objects.awaiting_confirmation_by(user), verifier=user)


def _read(user: User, ids: list[int]) -> QuerySet[Commitment, dict[str, Any]]:
    times = ("proposed_at", "escalated_at", "status_since", "done_at")
    fields = ("pk", "reference", "text", "due_on", "status", "partnership__title", *times)
    with one_by_one():
        commitments = Commitment.objects.visible_to(user).filter(among("pk", ids)).order_by("pk")
    wanted: QuerySet[Commitment, dict[str, Any]] = commitments.values(*fields)
    return wanted


def _steps_wanted(user: User, now: dt.datetime) -> InOrder:
    """The next step of each commitment that waits for the person, and since when."""
    places = sorted_by_reach(_waits_for, user, now)
    steps: dict[int, tuple[str, str]] = {}
    for place, (what, since) in enumerate(_WHAT_AND_SINCE):
        steps |= dict.fromkeys(places[place], (what, since))
    address, labels = addresses("commitments:detail"), dict(Status.choices)

    def due(row: dict[str, Any]) -> dt.date | None:
        return row["due_on"] if row["status"] in UNDER_WAY else None

    def key(row: dict[str, Any]) -> Urgency:
        return urgency(due(row), row[steps[row["pk"]][1]], row["pk"])

    def make(row: dict[str, Any]) -> Waiting:
        what, since = steps[row["pk"]]
        return Waiting(
            what=what,
            title=f"{row['reference']} {cut(row['text'], 90)}",
            path=address(row["pk"]),
            since=row[since],
            due=due(row),
            within=row["partnership__title"] or "",
            status=row["status"],
            status_label=str(labels[row["status"]]),
        )

    return InOrder(sorted(rows_for(_read, user, list(steps)), key=key) if steps else [], make, due)


#: Work that waits: confirm, verify, name an owner, deliver, answer an escalation.
WAITING = (
    Source(_steps_wanted, _waits, is_usual=True, lookups=lambda user, now: (reach_lookup(_waits_for, user, now),)),
)
