"""The tasks in My work to review responses to recommendations."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.kit.addresses import page_address
from partnerships.kit.text import shorten
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import Organisations, People, Reach
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User
from partnerships.recommendations.models import Response, ResponseStatus

#: A response is in My work from this time before its review date.
SOON = dt.timedelta(days=14)
#: My work shows at most this many characters of a recommendation.
_MAX_TITLE = 90


def _due_reviews(now: dt.datetime) -> tuple[Reach, Reach]:
    """Return the responses that are due for review soon.

    They are for their owner or, if they have no owner, for the editors and leads of the organisation.
    """
    due = Response.objects.unfinished().filter(review_on__lte=timezone.localdate(now) + SOON)
    return (
        Reach(due.filter(owner__isnull=False), (People("owner"),)),
        Reach(due.filter(owner=None), (Organisations("organisation", roles=EDITING_ROLES),)),
    )


def _review_rows(user: User, now: dt.datetime) -> QuerySet[Response, dict[str, Any]]:
    """Return the values of the person's due reviews."""
    own_reviews, reviews_without_owner = _due_reviews(now)
    ids = own_reviews.of(user).values("pk").union(reviews_without_owner.of(user).values("pk"))
    responses = Response.objects.of_person(user).filter(pk__in=ids).order_by("pk")
    fields = ("pk", "recommendation__text", "organisation__name", "review_on", "status", "status_since")
    value_rows: QuerySet[Response, dict[str, Any]] = responses.values(*fields)
    return value_rows


def _review_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return a task for each response of the person's organisations whose review is due soon."""
    labels = dict(ResponseStatus.choices)
    return [
        WaitingTask(
            action="Review this recommendation",
            title=shorten(row["recommendation__text"], _MAX_TITLE),
            path=page_address("recommendations:response", row["pk"]),
            since=row["status_since"],
            due=row["review_on"],
            partnership_title=row["organisation__name"],
            status=row["status"],
            status_label=str(labels[row["status"]]),
        )
        for row in rows_for(_review_rows, user, now)
    ]


TASK_SOURCES = (TaskSource(_review_tasks, _due_reviews, lookups=lambda user, now: (lookup(_review_rows, user, now),)),)
