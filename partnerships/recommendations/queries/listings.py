"""Recommendations with what is done about each, as lists show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.recommendations.models import (
    WORKING,
    Addressee,
    Adoption,
    Recommendation,
    RecommendationQuerySet,
    Response,
    ResponseStatus,
    Source,
)
from partnerships.recommendations.models.sources import KINDS_OF_BODY
from partnerships.recommendations.queries.addressing import Answering, addressed_to, answering


def _counted(rows: QuerySet[Any]) -> Coalesce:
    """How many rows of another table belong to a recommendation."""
    counted = rows.filter(recommendation=OuterRef("pk")).order_by().values("recommendation")
    return Coalesce(Subquery(counted.annotate(number=Count("pk")).values("number")), 0)


def with_work(rows: RecommendationQuerySet, user: Reader) -> RecommendationQuerySet:
    """With what lists show, and how many organisations and partnerships work on each.

    `under_way`, `done` and `over` count responses, `adopted` the partnerships that adopted it, as far as the reader may
    know. `working` is the number that work on it or have done so.
    """
    responses = Response.objects.all()
    over = (ResponseStatus.DECLINED, ResponseStatus.SUPERSEDED)
    return (
        rows.for_listing()
        .annotate(
            under_way=_counted(responses.filter(status=ResponseStatus.UNDER_WAY)),
            done=_counted(responses.filter(status=ResponseStatus.DONE)),
            over=_counted(responses.filter(status__in=over)),
            adopted=_counted(Adoption.objects.visible_to(user).adopted()),
        )
        .annotate(working=F("under_way") + F("done") + F("adopted"))
    )


def unworked(rows: RecommendationQuerySet) -> RecommendationQuerySet:
    """Those of rows `with_work` that nobody works on."""
    return rows.filter(Q(working=0))


def worked(rows: RecommendationQuerySet) -> RecommendationQuerySet:
    """Those of rows `with_work` that somebody works on."""
    return rows.filter(Q(working__gt=0))


def sources_for(user: Reader) -> list[Source]:
    """The reports, newest first, with how many of their recommendations are recorded and worked on."""
    sources = list(Source.objects.visible_to(user).with_recorded().order_by("-year", "title", "pk"))
    counts: dict[int, int] = {}
    for row in worked(with_work(Recommendation.objects.all(), user)):
        counts[row.source_id] = counts.get(row.source_id, 0) + 1
    for source in sources:
        source.worked_on = counts.get(source.pk, 0)  # type: ignore[attr-defined]  # for the page
    return sources


def uncovered(user: User) -> list[Recommendation]:
    """Recommendations that nobody is working on, as far as the reader may know."""
    return list(unworked(with_work(Recommendation.objects.visible_to(user), user)).in_order())


@dataclass(frozen=True, slots=True)
class KindRow:
    """A kind of body with the recommendations addressed to it."""

    kind: str
    label: str
    number: int
    answered: int


@dataclass(frozen=True, slots=True)
class BodyRow:
    """An organisation that recommendations name."""

    organisation: Organisation
    number: int
    answered: int


def kinds_addressed() -> list[KindRow]:
    """Each kind of body with recommendations, and how many of them have a response of any body."""
    answered = Count("recommendation", filter=Q(recommendation__responses__isnull=False), distinct=True)
    rows = Addressee.objects.exclude(kind="").order_by().values("kind")
    counted = rows.annotate(number=Count("recommendation", distinct=True), answered=answered)
    counts = {row["kind"]: (row["number"], row["answered"]) for row in counted}
    return [KindRow(kind, label, *counts[kind]) for kind, label in KINDS_OF_BODY.items() if kind in counts]


def bodies_addressed() -> list[BodyRow]:
    """Each organisation that recommendations name, and how many of them it has responded to."""
    rows = Addressee.objects.exclude(organisation=None).select_related("organisation").order_by("organisation__name")
    answered = set(Response.objects.values_list("organisation", "recommendation"))
    bodies: dict[Organisation, list[int]] = {}
    for row in rows:
        assert row.organisation is not None  # excluded above
        bodies.setdefault(row.organisation, []).append(row.recommendation_id)
    return [
        BodyRow(body, len(named), sum((body.pk, recommendation) in answered for recommendation in named))
        for body, named in bodies.items()
    ]


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A recommendation addressed to an organisation, and its response if there is one."""

    recommendation: Recommendation
    response: Response | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an organisation does about the recommendations addressed to it."""

    answering: Answering
    rows: Sequence[OwnRow]

    @property
    def answered(self) -> int:
        """How many have a response."""
        return sum(row.response is not None for row in self.rows)

    @property
    def working(self) -> int:
        """How many it works on or has done."""
        return sum(row.response is not None and row.response.status in WORKING for row in self.rows)


def standing_of(organisation: Organisation, user: User, day: dt.date) -> Standing:
    """The recommendations addressed to it, and those it has responded to, with its responses."""
    means = answering(organisation, day)
    responses = Response.objects.visible_to(user).filter(organisation=organisation).select_related("owner")
    known = {response.recommendation_id: response for response in responses}
    addressed = addressed_to(means) | Recommendation.objects.filter(pk__in=list(known))
    rows = Recommendation.objects.visible_to(user).filter(pk__in=addressed.values("pk")).for_listing().in_order()
    return Standing(means, [OwnRow(row, known.get(row.pk)) for row in rows])


def responses_to(recommendation: Recommendation, user: User) -> list[Response]:
    """Its responses, those that work on it first."""
    rows = Response.objects.visible_to(user).filter(recommendation=recommendation)
    order = list(ResponseStatus.values)
    found = rows.select_related("organisation", "owner").order_by("organisation__name", "pk")
    return sorted(found, key=lambda response: (response.status not in WORKING, order.index(response.status)))
