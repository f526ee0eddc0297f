"""Recommendations for lists, with the numbers of organisations and partnerships that work on each."""

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
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.recommendations.models import (
    WORKING_STATUSES,
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
from partnerships.recommendations.queries.addressing import RespondingBodies, responding_bodies

#: Recommendations to one organisation are counted up to this number. Its page then says "More than 1,000".
MAX_COUNTED = 1_001


def _count_of(rows: QuerySet[Any]) -> Coalesce:
    """Return an expression for the number of rows of another table that belong to a recommendation."""
    rows_of_recommendation = rows.filter(recommendation=OuterRef("pk")).order_by().values("recommendation")
    return Coalesce(Subquery(rows_of_recommendation.annotate(row_count=Count("pk")).values("row_count")), 0)


def with_work_counts(recommendations: RecommendationQuerySet, user: Reader) -> RecommendationQuerySet:
    """Return the recommendations with the columns of lists, and the numbers of responses and adoptions.

    `under_way`, `done` and `over` count responses by status. `adopted` counts the partnerships that adopted the
    recommendation, as far as the reader may know. `working` is the number of organisations and partnerships that work
    on it or have completed the work.
    """
    responses = Response.objects.all()
    declined_or_superseded = (ResponseStatus.DECLINED, ResponseStatus.SUPERSEDED)
    recommendations_with_counts = recommendations.for_listing().annotate(
        under_way=_count_of(responses.filter(status=ResponseStatus.UNDER_WAY)),
        done=_count_of(responses.filter(status=ResponseStatus.DONE)),
        over=_count_of(responses.filter(status__in=declined_or_superseded)),
        adopted=_count_of(Adoption.objects.visible_to(user).adopted()),
    )
    return recommendations_with_counts.annotate(working=F("under_way") + F("done") + F("adopted"))


def without_work(recommendations: RecommendationQuerySet) -> RecommendationQuerySet:
    """Return the recommendations that no organisation or partnership works on.

    The queryset must have the counts of `with_work_counts`.
    """
    return recommendations.filter(Q(working=0))


def only_with_work(recommendations: RecommendationQuerySet) -> RecommendationQuerySet:
    """Return the recommendations that an organisation or partnership works on.

    The queryset must have the counts of `with_work_counts`.
    """
    return recommendations.filter(Q(working__gt=0))


def sources_with_counts(user: Reader) -> list[Source]:
    """Return the reports, the newest first, each with two numbers about its recommendations.

    `recorded` is the number that are recorded here, and `worked_on` the number that somebody works on.
    """
    sources = list(Source.objects.visible_to(user).with_recommendation_counts().order_by("-year", "title", "pk"))
    worked_on = only_with_work(with_work_counts(Recommendation.objects.all(), user)).order_by().values("source")
    count_by_source: dict[int, int] = dict(worked_on.annotate(total=Count("pk")).values_list("source", "total"))
    for source in sources:
        source.worked_on = count_by_source.get(source.pk, 0)  # type: ignore[attr-defined]  # for the page
    return sources


def recommendations_nobody_works_on(user: User) -> RecommendationQuerySet:
    """Return recommendations that nobody is working on, as far as the reader may know. The caller sorts them."""
    return without_work(with_work_counts(Recommendation.objects.visible_to(user), user))


@dataclass(frozen=True, slots=True)
class KindRow:
    """A kind of organisation, with the number of recommendations addressed to it and how many have a response."""

    kind: str
    label: str
    recommendation_count: int
    answered_count: int


@dataclass(frozen=True, slots=True)
class BodyRow:
    """An organisation that recommendations name, with their number and how many it has answered."""

    organisation: Organisation
    recommendation_count: int
    answered_count: int


def kinds_addressed() -> list[KindRow]:
    """Return the kinds of organisation to which recommendations are addressed, with their numbers."""
    has_response = Q(recommendation__responses__isnull=False)
    counts = Addressee.objects.exclude(kind="").order_by().values("kind")
    counts = counts.annotate(
        recommendation_count=Count("recommendation", distinct=True),
        answered_count=Count("recommendation", filter=has_response, distinct=True),
    )
    counts_by_kind = {counts_of_kind["kind"]: counts_of_kind for counts_of_kind in counts}
    return [
        KindRow(**counts_by_kind[kind], label=label) for kind, label in KINDS_OF_BODY.items() if kind in counts_by_kind
    ]


def bodies_addressed() -> list[BodyRow]:
    """Return the organisations that recommendations name, by name, with the numbers of recommendations."""
    addressees = Addressee.objects.exclude(organisation=None).select_related("organisation")
    recommendations_by_body: dict[Organisation, list[int]] = {}
    for addressee in addressees.order_by("organisation__name"):
        assert addressee.organisation is not None  # excluded above
        recommendations_by_body.setdefault(addressee.organisation, []).append(addressee.recommendation_id)

    responding_pairs = set(Response.objects.values_list("organisation", "recommendation"))
    return [
        BodyRow(
            organisation=body,
            recommendation_count=len(recommendation_ids),
            answered_count=sum(
                (body.pk, recommendation_id) in responding_pairs for recommendation_id in recommendation_ids
            ),
        )
        for body, recommendation_ids in recommendations_by_body.items()
    ]


@dataclass(frozen=True, slots=True)
class OrganisationRecommendations:
    """The recommendations that are addressed to an organisation, or to which it has responded.

    `rows` are these recommendations with their source, unsorted, and `count` is their number, up to `MAX_COUNTED`.
    `response_count` is the number of its responses, and `working_count` of those that are under way or done.
    """

    bodies: RespondingBodies
    rows: RecommendationQuerySet
    count: int
    response_count: int
    working_count: int

    @property
    def count_in_words(self) -> str:
        """Return the number as text, such as `31 recommendations` or `More than 1,000 recommendations`."""
        max_exact = MAX_COUNTED - 1
        if self.count > max_exact:
            return f"More than {max_exact:,} recommendations"
        return counted(self.count, "recommendation")


def recommendations_of(organisation: Organisation, user: User, day: dt.date) -> OrganisationRecommendations:
    """Return an organisation's recommendations and the numbers of its responses that the reader may know."""
    bodies = responding_bodies(organisation, day)
    responses = _responses_of(organisation, user)
    counts = responses.aggregate(answered=Count("pk"), working=Count("pk", filter=Q(status__in=WORKING_STATUSES)))
    has_response = Exists(responses.filter(recommendation=OuterRef("pk")))
    rows = Recommendation.objects.visible_to(user).filter(Q(bodies.addressed) | Q(has_response))
    return OrganisationRecommendations(
        bodies=bodies,
        rows=rows.select_related("source"),
        count=rows[:MAX_COUNTED].count(),
        response_count=counts["answered"],
        working_count=counts["working"],
    )


def with_responses(
    recommendations: Sequence[Recommendation], organisation: Organisation, user: User
) -> list[tuple[Recommendation, Response | None]]:
    """Return each recommendation with the organisation's response, or with None if there is no response."""
    responses = _responses_of(organisation, user).filter(recommendation__in=recommendations)
    response_by_recommendation = {response.recommendation_id: response for response in responses}
    return [(recommendation, response_by_recommendation.get(recommendation.pk)) for recommendation in recommendations]


def _responses_of(organisation: Organisation, user: User) -> RecommendationResponseQuerySet:
    """Return the responses of an organisation that the reader may see."""
    return Response.objects.visible_to(user).filter(organisation=organisation)


def visible_responses(user: User, recommendation_id: int) -> QuerySet[Response]:
    """Return the responses to a recommendation that the person may see, by the name of the organisation."""
    visible = Response.objects.visible_to(user).filter(recommendation=recommendation_id)
    return visible.select_related("organisation", "owner").order_by("organisation__name", "pk")


def responses_to(recommendation: Recommendation, user: User) -> list[Response]:
    """Return the responses to a recommendation, first those of organisations that work on it."""
    responses = rows_for(visible_responses, user, recommendation.pk)
    status_order = list(ResponseStatus.values)

    def working_first(response: Response) -> tuple[bool, int]:
        return response.status not in WORKING_STATUSES, status_order.index(response.status)

    return sorted(responses, key=working_first)
