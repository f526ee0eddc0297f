"""What commitments add to a person's work."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import Truncator

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
from partnerships.kit.waiting import Waiting, addresses
from partnerships.organisations.audience import Organisations, People, Reach, sorted_by_reach
from partnerships.organisations.models import Role
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: How far ahead "due soon" looks.
SOON = dt.timedelta(days=14)
_LEAD = (Role.LEAD,)


def due_soon(user: User, now: dt.datetime) -> list[Commitment]:
    """The person's own commitments that are overdue or due within `SOON`."""
    last = timezone.localdate(now) + SOON
    mine = Commitment.objects.visible_to(user).filter(owner=user, due_on__lte=last).under_way()
    return list(in_order(mine).for_listing())


def _waits(
    now: dt.datetime, proposed: CommitmentQuerySet | None = None, verifier: User | None = None
) -> tuple[tuple[str, str, Reach], ...]:
    """What waits, since when, and for which people.

    If one waits for several reasons, the last counts. `proposed` narrows the ones to confirm, `verifier` the actions to
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
        ("Accept this action", "proposed_at", Reach(own_actions, (owner,))),
        ("Help unblock this", "escalated_at", Reach(under_way, (helper,))),
        ("Name an owner", "status_since", Reach(ownerless, (Organisations("owner_organisation", roles=_LEAD),))),
        ("Deliver this", "status_since", Reach(soon, (owner,))),
        ("Verify this delivery", "done_at", Reach(done, VERIFYING)),
        ("Verify the action", "done_at", Reach(done if verifier is None else done.exclude(own), VERIFYING_ACTIONS)),
        ("Confirm this commitment", "proposed_at", Reach(promised, CONFIRMING)),
        ("Accept this action", "proposed_at", Reach(actions, (Organisations("giver", roles=_LEAD),))),
    )


def _steps_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    waits = _waits(now, proposed=Commitment.objects.awaiting_confirmation_by(user), verifier=user)
    steps: dict[int, tuple[str, str]] = {}
    for (what, since, _), found in zip(waits, sorted_by_reach([reach for *_, reach in waits], user), strict=True):
        steps |= dict.fromkeys(found, (what, since))
    address, labels = addresses("commitments:detail"), dict(Status.choices)
    times = ("proposed_at", "escalated_at", "status_since", "done_at")
    fields = ("pk", "reference", "text", "due_on", "status", "partnership__title", *times)
    rows = Commitment.objects.visible_to(user).filter(pk__in=steps).order_by("pk").values(*fields)
    return [
        Waiting(
            what=steps[row["pk"]][0],
            title=f"{row['reference']} {Truncator(row['text']).chars(90)}",
            path=address(row["pk"]),
            since=row[steps[row["pk"]][1]],
            due=row["due_on"] if row["status"] in UNDER_WAY else None,
            within=row["partnership__title"] or "",
            status=row["status"],
            status_label=str(labels[row["status"]]),
        )
        for row in rows
    ]


#: Work that waits: confirm, verify, name an owner, deliver, answer an escalation.
WAITING = (Source(_steps_wanted, lambda now: [reach for *_, reach in _waits(now)]),)
