"""Queries of pages that show records of several rooms."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Q
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.queries import newest_visible
from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.kit.waiting import Waiting
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans import queries as plans
from partnerships.web.network import Node

#: How far back "Recent changes" on the home page goes.
RECENT = dt.timedelta(days=60)
#: Most organisations in the picture; the table lists all of them.
DRAWN = 60


def by_partnership(waiting: list[Waiting]) -> list[tuple[str, list[Waiting]]]:
    """The same list grouped by partnership, in the order in which each first appears; those of none come under “”."""
    groups: dict[str, list[Waiting]] = {}
    for item in waiting:
        groups.setdefault(item.within, []).append(item)
    return list(groups.items())


def recent_changes(user: User, now: dt.datetime, count: int = 8) -> list[Event]:
    """The newest events that others caused and this person may see: of organisations only those that the person
    acts for or works with, and several of one kind to one record by one person as the newest of them."""
    partnerships = Partnership.objects.present_for(user).live()
    near = Party.objects.present().filter(partnership__in=partnerships.values("pk")).values("organisation")
    mine = Organisation.objects.of_person(user).values("pk")
    others = (
        Event.objects.filter(at__gte=now - RECENT)
        .exclude(actor_id=user.pk)
        .exclude(~Q(target_id__in=near) & ~Q(target_id__in=mine), target_kind="organisation")
    )
    newest = newest_visible(user, others, count * 4)
    folded = {(row.kind, row.target_kind, row.target_id, row.actor_id): row for row in reversed(newest)}
    return sorted(folded.values(), key=lambda row: (row.at, row.pk), reverse=True)[:count]


@dataclass(frozen=True, slots=True)
class Tie:
    """Two organisations and their shared partnerships."""

    one: Organisation
    other: Organisation
    partnerships: tuple[Partnership, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """Organisations and ties that the reader may see."""

    nodes: tuple[Node, ...]
    ties: tuple[Tie, ...]
    weights: dict[tuple[int, int], int]


def network(user: User) -> Network:
    """The present parties of every live partnership the person may know of today, and the ties between them."""
    mine = set(Organisation.objects.of_person(user).values_list("pk", flat=True))
    shared: dict[tuple[int, int], list[Partnership]] = {}
    bodies: dict[int, Organisation] = {}
    for partnership in Partnership.objects.known_today_to(user).live().for_listing().order_by("title", "pk"):
        present = {
            party.organisation_id: party.organisation
            for party in partnership.parties.all()
            if party.status == PartyStatus.ACCEPTED
        }
        bodies |= present
        for pair in combinations(sorted(present), 2):
            shared.setdefault((pair[0], pair[1]), []).append(partnership)
    degree: Counter[int] = Counter()
    for (one, other), partnerships in shared.items():
        degree[one] += len(partnerships)
        degree[other] += len(partnerships)
    drawn = sorted(bodies, key=lambda pk: (pk not in mine, -degree[pk], bodies[pk].name, pk))[:DRAWN]
    return Network(
        nodes=tuple(Node(pk, bodies[pk].display_name, bodies[pk].kind, mine=pk in mine) for pk in drawn),
        ties=tuple(
            Tie(bodies[one], bodies[other], tuple(partnerships))
            for (one, other), partnerships in sorted(
                shared.items(), key=lambda pair: (bodies[pair[0][0]].name, bodies[pair[0][1]].name, pair[0])
            )
        ),
        weights={pair: len(partnerships) for pair, partnerships in shared.items()},
    )


def counts(user: User, waiting: list[Waiting]) -> dict[str, int]:
    """The counts at the top of the home page."""
    today = timezone.localdate()
    week = today + dt.timedelta(days=7)
    return {
        "partnerships": Partnership.objects.present_for(user).live().count(),
        "due": sum(1 for item in waiting if item.due and item.due <= week),
        "waiting": len(waiting),
        "plans": _plans_off_track(user),
    }


def _plans_off_track(user: User) -> int:
    return (
        plans.overdue_milestones(user, timezone.localdate())
        .filter(Q(plan__in=plans.my_plans(user).values("pk")))
        .values("plan")
        .distinct()
        .count()
    )
