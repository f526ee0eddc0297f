"""Whom recommendations are addressed to, and for which bodies an organisation answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from partnerships.organisations.lineage import predecessors_of_each
from partnerships.organisations.models import Organisation
from partnerships.recommendations.models import Addressee, Recommendation, RecommendationQuerySet


@dataclass(frozen=True, slots=True)
class Answering:
    """For which bodies (ids) an organisation answers, itself first, and their kinds."""

    bodies: tuple[int, ...]
    kinds: frozenset[str]
    predecessors: tuple[Organisation, ...]

    @property
    def condition(self) -> Q:
        """The condition on addressees that mean it."""
        return Q(kind__in=self.kinds) | Q(organisation__in=self.bodies)

    @property
    def addressed(self) -> Exists:
        """The condition on recommendations that mean it."""
        return Exists(Addressee.objects.filter(self.condition, recommendation=OuterRef("pk")))


def answering(organisation: Organisation, day: dt.date) -> Answering:
    """The organisation, and every body that it followed by that day.

    The successor of a LEP answers for what was addressed to LEPs. Two queries for each link of the longest chain.
    """
    organisation_ids: set[int] = set()
    frontier: Collection[int] = {organisation.pk}
    while frontier:
        before = predecessors_of_each(frontier, day)
        frontier = {pk for each in before.values() for pk in each} - organisation_ids - {organisation.pk}
        organisation_ids |= frontier
    predecessors = (
        tuple(Organisation.objects.filter(pk__in=organisation_ids).order_by("name", "pk")) if organisation_ids else ()
    )
    kinds = frozenset([organisation.kind, *(predecessor.kind for predecessor in predecessors)])
    return Answering((organisation.pk, *sorted(organisation_ids)), kinds, predecessors)


def addressed_to(answering: Answering) -> RecommendationQuerySet:
    """The recommendations addressed to these bodies or their kinds."""
    return Recommendation.objects.filter(answering.addressed)


def is_addressed(recommendation: Recommendation, organisation: Organisation, day: dt.date) -> bool:
    """Whether the recommendation is addressed to the organisation, or to a body that it followed."""
    rows = Addressee.objects.filter(recommendation=recommendation)
    own = Q(kind=organisation.kind) | Q(organisation=organisation)
    return rows.filter(own).exists() or rows.filter(answering(organisation, day).condition).exists()
