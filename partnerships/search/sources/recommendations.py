"""Index rows of recommendations, without the responses of organisations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db.models import QuerySet

from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.recommendations.models import Recommendation
from partnerships.recommendations.models.sources import EVERYBODY
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.sources.source import KindNames, Source, check_by_record, readers_by_routes


def _recommendation_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each recommendation, with its report and the organisations to which it is addressed."""
    readers = readers_by_routes(Recommendation, EVERYBODY, ids)
    for recommendation in Recommendation.objects.filter(pk__in=ids).for_listing():
        source = recommendation.source
        yield EntryRow(
            object_id=recommendation.pk,
            kind="recommended",
            title=recommendation.title,
            text=joined_lines(
                recommendation.text,
                recommendation.reference,
                str(source),
                source.publisher,
                recommendation.theme_words,
                recommendation.addressee_words,
            ),
            partnership_id=None,
            organisation_id=None,
            day=dt.date(source.year, 12, 31),
            path=recommendation.get_absolute_url(),
            readers=readers[recommendation.pk],
        )


def _readable_recommendations(user: User, ids: list[int]) -> QuerySet[Recommendation, int]:
    """Return the ids of the recommendations that the person may read."""
    return Recommendation.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


RECOMMENDATIONS = Source(
    code="recommended",
    model=Recommendation,
    kinds={"recommended": KindNames("Recommendation", "Recommendations")},
    read=_recommendation_rows,
    check=check_by_record(_readable_recommendations),
    follows={
        "recommendations_recommendation.id": ("pk",),
        "recommendations_source.id": ("source",),
        "recommendations_addressee.recommendation_id": ("pk",),
        "organisations_organisation.id": ("addressees__organisation",),
    },
)
