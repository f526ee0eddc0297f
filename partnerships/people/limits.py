"""Rate limits, counted in PostgreSQL with one atomic statement."""

from __future__ import annotations

import datetime as dt
import math

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac

from partnerships.people.addresses import client_address, counted_address
from partnerships.people.models import Tally

_EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def _key(what: str) -> str:
    """A hash of what is counted, so that the table names nobody."""
    return salted_hmac("partnerships.people.limits", what, algorithm="sha256").hexdigest()


def _began(now: dt.datetime, stretch: dt.timedelta) -> dt.datetime:
    """The start of the current period."""
    return now - (now - _EPOCH) % stretch


def count(what: str, *, stretch: dt.timedelta, now: dt.datetime, amount: int = 1) -> int:
    """Count one more, or as many as given, and return the count of the current period.

    `stretch` is the length of the period (a minute, an hour). Within a transaction, others who count the same thing
    wait until it ends, and a rollback undoes the count.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_tally (key, began_at, count) VALUES (%s, %s, %s)"
            " ON CONFLICT (key, began_at) DO UPDATE SET count = people_tally.count + EXCLUDED.count RETURNING count",
            [_key(what), _began(now, stretch), amount],
        )
        counted: int = cursor.fetchone()[0]
    return counted


def counted_since(what: str, since: dt.datetime) -> int:
    """The count of all periods that began after a moment."""
    tallies = Tally.objects.filter(key=_key(what), began_at__gt=since).aggregate(sum=Sum("count"))
    return tallies["sum"] or 0


def too_many(
    request: HttpRequest, what: str, *, limit: int, stretch: dt.timedelta, who: str = "", amount: int = 1
) -> HttpResponse | None:
    """Count a request, or the things that it asks for.

    Above the limit, the 429 response, else None. Counts by `who`, else by person or, when signed out, by address; an
    IPv6 /64 is one address. The response says when to try again.
    """
    now = timezone.now()
    who = who or _who(request)
    if count(f"{what} of {who}", stretch=stretch, now=now, amount=amount) <= limit:
        return None
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(math.ceil((_began(now, stretch) + stretch - now).total_seconds()))
    return response


def too_many_uploads(request: HttpRequest) -> HttpResponse | None:
    """Count an upload of a spreadsheet or a list.

    Above the limit, the 429 response.
    """
    return too_many(request, "uploads", limit=settings.UPLOADS_PER_HOUR, stretch=dt.timedelta(hours=1))


def _who(request: HttpRequest) -> str:
    person = request.user
    if person.is_authenticated:
        return f"person {person.pk}"
    return f"address {counted_address(client_address(request))}"
