"""Review dates of recommendations for calendars."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.activity.queries import Revision, revisions_of
from partnerships.kit.calendars import CalendarEntry, CalendarKind, CalendarSource
from partnerships.people.models import User
from partnerships.recommendations.models import Response


def _responses(user: User, partnership_ids: list[int]) -> QuerySet[Response]:
    """Return the responses of the person's organisations that have a review date; none in a partnership."""
    if partnership_ids:
        return Response.objects.none()
    responses = Response.objects.of_person(user).filter(review_on__isnull=False)
    return responses.select_related("recommendation", "organisation").order_by("pk")


def _entries(responses: list[Response]) -> list[CalendarEntry]:
    """Return the review dates of these responses."""
    revisions = revisions_of([response.pk for response in responses], "recommendation_response_inside")
    return [_entry(response, revisions.get(response.pk, Revision(0, response.status_since))) for response in responses]


def _entry(response: Response, revision: Revision) -> CalendarEntry:
    assert response.review_on is not None
    return CalendarEntry(
        kind=CalendarKind.REVIEW,
        key=f"recommendation-{response.pk}",
        title=f"Review: {response.recommendation.title}",
        path=response.get_absolute_url(),
        starts=response.review_on,
        note=f"{response.organisation.display_name}: {response.get_status_display().lower()}",
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=not response.is_open,
    )


SOURCES = (CalendarSource(_responses, _entries),)
