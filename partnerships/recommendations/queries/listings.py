"""Recommendations with what is done about each, as lists show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from partnerships.kit.text import counted
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.recommendations.models import (
    WORKING,
    Addressee,
    Adoption,
    Recommendation,
    RecommendationQuerySet,
    RecommendationResponseQuerySet,
    Response,
    ResponseStatus,
    Source,
)
from partnerships.recommendations.models.sources import KINDS_OF_BODY
from partnerships.recommendations.queries.addressing import Answering, answering

#: Recommendations to one organisation are counted up to this; its page then says "more than 1,000".
MAX_COUNTED = 1_001


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
    """The rows `with_work` that nobody works on."""
    return rows.filter(Q(working=0))


def worked(rows: RecommendationQuerySet) -> RecommendationQuerySet:
    """The rows `with_work` that somebody works on."""
    return rows.filter(Q(working__gt=0))


def sources_for(user: Reader) -> list[Source]:
    """The reports, newest first, with how many of their recommendations are recorded and worked on."""
    sources = list(Source.objects.visible_to(user).with_recorded().order_by("-year", "title", "pk"))
    rows = worked(with_work(Recommendation.objects.all(), user)).order_by().values("source")
    counts: dict[int, int] = dict(rows.annotate(rows=Count("pk")).values_list("source", "rows"))
    for source in sources:
        source.worked_on = counts.get(source.pk, 0)  # type: ignore[attr-defined]  # for the page
    return sources


def uncovered(user: User) -> RecommendationQuerySet:
    """Recommendations that nobody is working on, as far as the reader may know; the caller orders."""
    return unworked(with_work(Recommendation.objects.visible_to(user), user))


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
class Standing:
    """What an organisation does about the recommendations addressed to it.

    `rows` are those and the others that it has responded to, with their source, not in order. `number` counts them up
    to `MAX_COUNTED`. `answered` says how many have its response, `working` how many of them it works on or has done.
    """

    answering: Answering
    rows: RecommendationQuerySet
    number: int
    answered: int
    working: int

    @property
    def number_words(self) -> str:
        """`31 recommendations`, or `More than 1,000 recommendations`."""
        most = MAX_COUNTED - 1
        return f"More than {most:,} recommendations" if self.number > most else counted(self.number, "recommendation")


def standing_of(organisation: Organisation, user: User, day: dt.date) -> Standing:
    """What the organisation does about what is addressed to it, as far as the reader may know."""
    means = answering(organisation, day)
    responses = _responses_of(organisation, user)
    counts = responses.aggregate(answered=Count("pk"), working=Count("pk", filter=Q(status__in=WORKING)))
    responded = Exists(responses.filter(recommendation=OuterRef("pk")))
    rows = Recommendation.objects.visible_to(user).filter(Q(means.addressed) | Q(responded))
    number = rows[:MAX_COUNTED].count()
    return Standing(means, rows.select_related("source"), number, counts["answered"], counts["working"])


def with_responses(
    rows: Sequence[Recommendation], organisation: Organisation, user: User
) -> list[tuple[Recommendation, Response | None]]:
    """These recommendations, each with the organisation's response if there is one."""
    responses = _responses_of(organisation, user).filter(recommendation__in=rows)
    by_recommendation = {response.recommendation_id: response for response in responses}
    return [(row, by_recommendation.get(row.pk)) for row in rows]


def _responses_of(organisation: Organisation, user: User) -> RecommendationResponseQuerySet:
    """Its responses that the reader may see."""
    return Response.objects.visible_to(user).filter(organisation=organisation)


def responses_to(recommendation: Recommendation, user: User) -> list[Response]:
    """Its responses, those that work on it first."""
    rows = Response.objects.visible_to(user).filter(recommendation=recommendation)
    order = list(ResponseStatus.values)
    responses = rows.select_related("organisation", "owner").order_by("organisation__name", "pk")
    return sorted(responses, key=lambda response: (response.status not in WORKING, order.index(response.status)))
