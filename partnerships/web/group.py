"""What the organisations of a group have together, as far as the reader may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.models import Commitment
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import group_of
from partnerships.people.models import User
from partnerships.plans.models import OVER, PlanOwner, Site


@dataclass
class Held:
    """Partnerships, commitments under way and sites, by id; each counts once."""

    partnerships: set[int] = field(default_factory=set)
    commitments: set[int] = field(default_factory=set)
    sites: dict[int, int] = field(default_factory=dict)

    @property
    def homes(self) -> int:
        """Homes at the sites."""
        return sum(self.sites.values())

    def add(self, other: Held) -> None:
        """Include what another organisation has."""
        self.partnerships |= other.partnerships
        self.commitments |= other.commitments
        self.sites |= other.sites


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation of the group: how far below the head, and what it has."""

    organisation: Organisation
    depth: int
    held: Held


@dataclass(frozen=True, slots=True)
class Group:
    """The members, the head first, and what they have together."""

    members: tuple[Member, ...]
    total: Held


def group_together(user: User, organisation: Organisation) -> Group:
    """The group that an organisation heads: six queries, whatever its size."""
    depths = group_of(organisation.pk)
    bodies = Organisation.objects.in_bulk(list(depths))
    held = _held(user, depths)
    members = tuple(
        Member(bodies[pk], depth, held[pk])
        for pk, depth in sorted(depths.items(), key=lambda one: (one[1], bodies[one[0]].name, one[0]))
    )
    total = Held()
    for member in members:
        total.add(member.held)
    return Group(members, total)


def _held(user: User, group: Iterable[int]) -> defaultdict[int, Held]:
    ids = set(group)
    held: defaultdict[int, Held] = defaultdict(Held)
    live = Partnership.objects.known_today_to(user).live()
    parties = Party.objects.present().filter(organisation__in=ids, partnership__in=live.values("pk"))
    for organisation, partnership in parties.values_list("organisation", "partnership"):
        held[organisation].partnerships.add(partnership)
    promised = Commitment.objects.followed_by(user).under_way().filter(Q(giver__in=ids) | Q(receiver__in=ids))
    for commitment, giver, receiver in promised.values_list("pk", "giver", "receiver"):
        for organisation in ids.intersection((giver, receiver)):
            held[organisation].commitments.add(commitment)
    owners: dict[int, list[int]] = defaultdict(list)
    # The homes of a superseded plan are those of the plan that followed it.
    current = PlanOwner.objects.filter(organisation__in=ids).exclude(plan__status__in=OVER)
    for organisation, plan in current.values_list("organisation", "plan"):
        owners[plan].append(organisation)
    for site, plan, homes in Site.objects.visible_to(user).filter(plan__in=owners).values_list("pk", "plan", "homes"):
        for organisation in owners[plan]:
            held[organisation].sites[site] = homes
    return held
