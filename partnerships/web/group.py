"""Figures of a group, or of an organisation with its predecessors, that the reader may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.models import UNDER_WAY_STATUSES, Commitment, Status
from partnerships.organisations.lineage import predecessors_summed_with
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import group_of
from partnerships.people.models import User
from partnerships.plans.models import FINAL_STATUSES, PlanOwner, Site

_DONE = (Status.DONE, Status.VERIFIED)


@dataclass
class GroupFigures:
    """The partnerships, commitments and homes of an organisation, as ids, so that shared ones count once."""

    partnerships: set[int] = field(default_factory=set)
    #: Commitments under way.
    commitments: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    #: The number of homes at each site, by the site's id.
    sites: dict[int, int] = field(default_factory=dict)

    @property
    def homes(self) -> int:
        """Return the number of homes at all sites."""
        return sum(self.sites.values())

    def add(self, other: GroupFigures) -> None:
        """Add the records of another organisation."""
        self.partnerships |= other.partnerships
        self.commitments |= other.commitments
        self.done |= other.done
        self.sites |= other.sites


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation of the group, the number of levels below the head, and its figures."""

    organisation: Organisation
    depth: int
    held: GroupFigures


@dataclass(frozen=True, slots=True)
class Group:
    """The members of a group, the head first, and their total."""

    members: tuple[Member, ...]
    total: GroupFigures


def group_of_organisation(user: User, organisation: Organisation) -> Group:
    """Return the group that an organisation heads, in six queries."""
    return _group_with_total(user, group_of(organisation.pk))


def group_with_predecessors(user: User, organisation: Organisation) -> Group:
    """Return the organisation, and the ended bodies that it alone followed (their `depth` is 1)."""
    return _group_with_total(
        user, {organisation.pk: 0} | {body.pk: 1 for body in predecessors_summed_with(organisation)}
    )


def _group_with_total(user: User, depths: Mapping[int, int]) -> Group:
    """Return these organisations (ids with their depths) as a group, with each record in the total once."""
    bodies = Organisation.objects.in_bulk(list(depths))
    figures_by_organisation = _figures_by_organisation(user, depths)
    members = [Member(bodies[pk], depth, figures_by_organisation[pk]) for pk, depth in depths.items()]
    members.sort(key=lambda member: (member.depth, member.organisation.name, member.organisation.pk))
    total = GroupFigures()
    for member in members:
        total.add(member.held)
    return Group(tuple(members), total)


def _figures_by_organisation(user: User, group: Iterable[int]) -> defaultdict[int, GroupFigures]:
    """Return the records that each organisation of the group takes part in, by the organisation's id."""
    ids = set(group)
    figures: defaultdict[int, GroupFigures] = defaultdict(GroupFigures)

    live_partnerships = Partnership.objects.visible_today_to(user).live()
    parties = Party.objects.accepted().filter(organisation__in=ids, partnership__in=live_partnerships.values("pk"))
    for organisation, partnership in parties.values_list("organisation", "partnership"):
        figures[organisation].partnerships.add(partnership)

    commitments_of_group = Commitment.objects.followed_by(user).filter(Q(giver__in=ids) | Q(receiver__in=ids))
    commitments_of_group = commitments_of_group.filter(status__in=(*UNDER_WAY_STATUSES, *_DONE))
    for commitment, status, giver, receiver in commitments_of_group.values_list("pk", "status", "giver", "receiver"):
        for organisation in ids.intersection((giver, receiver)):
            commitments = figures[organisation].done if status in _DONE else figures[organisation].commitments
            commitments.add(commitment)

    owners_by_plan: dict[int, list[int]] = defaultdict(list)
    # Superseded plans are left out, because the plan that followed has the same homes.
    plan_owners = PlanOwner.objects.filter(organisation__in=ids).exclude(plan__status__in=FINAL_STATUSES)
    for organisation, plan in plan_owners.values_list("organisation", "plan"):
        owners_by_plan[plan].append(organisation)
    for site, plan, homes in (
        Site.objects.visible_to(user).filter(plan__in=owners_by_plan).values_list("pk", "plan", "homes")
    ):
        for organisation in owners_by_plan[plan]:
            figures[organisation].sites[site] = homes
    return figures
