"""The addressees of recommendations, and the bodies for which an organisation responds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from partnerships.organisations.lineage import predecessors_of_each
from partnerships.organisations.models import Organisation
from partnerships.recommendations.models import Addressee, Recommendation, RecommendationQuerySet


@dataclass(frozen=True, slots=True)
class RespondingBodies:
    """The organisations for which an organisation responds, which are itself and its predecessors.

    `bodies` are their ids, its own first, and `kinds` are their kinds.
    """

    bodies: tuple[int, ...]
    kinds: frozenset[str]
    predecessors: tuple[Organisation, ...]

    @property
    def condition(self) -> Q:
        """Return the condition that an addressee refers to one of these bodies."""
        return Q(kind__in=self.kinds) | Q(organisation__in=self.bodies)

    def are_among(self, kinds: Collection[str], bodies: Collection[int]) -> bool:
        """Return whether one of these bodies is of one of the kinds, or among the other bodies (ids)."""
        return not self.kinds.isdisjoint(kinds) or any(body in bodies for body in self.bodies)

    @property
    def addressed(self) -> Exists:
        """Return the condition that a recommendation is addressed to one of these bodies."""
        return Exists(Addressee.objects.filter(self.condition, recommendation=OuterRef("pk")))


def responding_bodies(organisation: Organisation, day: dt.date) -> RespondingBodies:
    """Return the organisation and every organisation that it had succeeded by that day, directly or not.

    For example, the successor of a LEP responds to recommendations to LEPs. There are two queries for each generation
    of predecessors.
    """
    predecessor_ids: set[int] = set()
    unexplored_ids: set[int] = {organisation.pk}
    while unexplored_ids:
        ids_by_successor = predecessors_of_each(unexplored_ids, day)
        found_ids = {pk for ids in ids_by_successor.values() for pk in ids}
        unexplored_ids = found_ids - predecessor_ids - {organisation.pk}
        predecessor_ids |= unexplored_ids

    predecessors: tuple[Organisation, ...] = ()
    if predecessor_ids:
        predecessors = tuple(Organisation.objects.filter(pk__in=predecessor_ids).order_by("name", "pk"))
    return RespondingBodies(
        bodies=(organisation.pk, *sorted(predecessor_ids)),
        kinds=frozenset([organisation.kind, *(predecessor.kind for predecessor in predecessors)]),
        predecessors=predecessors,
    )


def addressed_to(bodies: RespondingBodies) -> RecommendationQuerySet:
    """Return the recommendations addressed to these bodies or their kinds."""
    return Recommendation.objects.filter(bodies.addressed)


def is_addressed(recommendation: Recommendation, organisation: Organisation, day: dt.date) -> bool:
    """Return whether the recommendation is addressed to the organisation, or to a body that it succeeded."""
    return bool(addressed_among(recommendation, [organisation], day))


def addressed_among(
    recommendation: Recommendation, organisations: Collection[Organisation], day: dt.date
) -> list[Organisation]:
    """Return those of the organisations for which `is_addressed` is true. The addressees are read once."""
    if not organisations:
        return []
    addressees = Addressee.objects.filter(recommendation=recommendation).values_list("kind", "organisation")
    addressed_kinds = {kind for kind, _ in addressees if kind}
    addressed_ids = {organisation_id for _, organisation_id in addressees if organisation_id is not None}
    return [
        organisation
        for organisation in organisations
        if organisation.kind in addressed_kinds
        or organisation.pk in addressed_ids
        or responding_bodies(organisation, day).are_among(addressed_kinds, addressed_ids)
    ]
