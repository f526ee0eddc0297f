"""Figures of a group, or of an organisation with its predecessors, as far as the reader may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.models import UNDER_WAY, Commitment, Status
from partnerships.organisations.lineage import predecessors_summed_with
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import group_of
from partnerships.people.models import User
from partnerships.plans.models import OVER, PlanOwner, Site

_DONE = (Status.DONE, Status.VERIFIED)


@dataclass
class Held:
    """The partnerships, commitments and homes of an organisation, as ids, so that shared ones count once."""

    partnerships: set[int] = field(default_factory=set)
    #: Commitments under way.
    commitments: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    #: Homes by id of the site.
    sites: dict[int, int] = field(default_factory=dict)

    @property
    def homes(self) -> int:
        """The number of homes at all sites."""
        return sum(self.sites.values())

    def add(self, other: Held) -> None:
        """Include what another organisation has."""
        self.partnerships |= other.partnerships
        self.commitments |= other.commitments
        self.done |= other.done
        self.sites |= other.sites


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation of the group: how far it is below the head, and its figures."""

    organisation: Organisation
    depth: int
    held: Held


@dataclass(frozen=True, slots=True)
class Group:
    """The members of a group, the head first, and their total."""

    members: tuple[Member, ...]
    total: Held


def group_together(user: User, organisation: Organisation) -> Group:
    """Return the group that an organisation heads, in six queries."""
    return _together(user, group_of(organisation.pk))


def with_predecessors(user: User, organisation: Organisation) -> Group:
    """Return the organisation, and the ended bodies that it alone followed (`depth` is 1)."""
    return _together(user, {organisation.pk: 0} | {body.pk: 1 for body in predecessors_summed_with(organisation)})


def _together(user: User, depths: Mapping[int, int]) -> Group:
    bodies = Organisation.objects.in_bulk(list(depths))
    held = _held(user, depths)
    members = [Member(bodies[pk], depth, held[pk]) for pk, depth in depths.items()]
    members.sort(key=lambda member: (member.depth, member.organisation.name, member.organisation.pk))
    total = Held()
    for member in members:
        total.add(member.held)
    return Group(tuple(members), total)


def _held(user: User, group: Iterable[int]) -> defaultdict[int, Held]:
    """Return what each organisation of the group takes part in, each record counted once."""
    ids = set(group)
    held: defaultdict[int, Held] = defaultdict(Held)
    live = Partnership.objects.known_today_to(user).live()
    parties = Party.objects.present().filter(organisation__in=ids, partnership__in=live.values("pk"))
    for organisation, partnership in parties.values_list("organisation", "partnership"):
        held[organisation].partnerships.add(partnership)

    promised = Commitment.objects.followed_by(user).filter(Q(giver__in=ids) | Q(receiver__in=ids))
    promised = promised.filter(status__in=(*UNDER_WAY, *_DONE))
    for commitment, status, giver, receiver in promised.values_list("pk", "status", "giver", "receiver"):
        for organisation in ids.intersection((giver, receiver)):
            commitments = held[organisation].done if status in _DONE else held[organisation].commitments
            commitments.add(commitment)

    owners: dict[int, list[int]] = defaultdict(list)
    # The homes of a superseded plan are those of the plan that followed it.
    current = PlanOwner.objects.filter(organisation__in=ids).exclude(plan__status__in=OVER)
    for organisation, plan in current.values_list("organisation", "plan"):
        owners[plan].append(organisation)
    for site, plan, homes in Site.objects.visible_to(user).filter(plan__in=owners).values_list("pk", "plan", "homes"):
        for organisation in owners[plan]:
            held[organisation].sites[site] = homes
    return held
