"""Counting what may be done only so often, in PostgreSQL: one statement that no other request can come between."""

from __future__ import annotations

import datetime as dt
import math

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
    """What is counted, so that the table tells nobody who did it."""
    return salted_hmac("partnerships.people.limits", what, algorithm="sha256").hexdigest()


def _began(now: dt.datetime, stretch: dt.timedelta) -> dt.datetime:
    """When the stretch of time in which we are began."""
    return now - (now - _EPOCH) % stretch


def count(what: str, *, stretch: dt.timedelta, now: dt.datetime) -> int:
    """Count one more, and say how many there are in this stretch of time (a minute, an hour).

    Within a transaction, others who count the same wait until it ends, and what is rolled back was not counted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_tally (key, began_at, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (key, began_at) DO UPDATE SET count = people_tally.count + 1 RETURNING count",
            [_key(what), _began(now, stretch)],
        )
        counted: int = cursor.fetchone()[0]
    return counted


def counted_since(what: str, since: dt.datetime) -> int:
    """How many were counted in the stretches that began after a moment."""
    found = Tally.objects.filter(key=_key(what), began_at__gt=since).aggregate(sum=Sum("count"))
    return found["sum"] or 0


def too_many(request: HttpRequest, what: str, *, limit: int, stretch: dt.timedelta) -> HttpResponse | None:
    """Count one more of what a person, or an address of the signed-out, asks for; the refusal (429) above the limit.

    An IPv6 network of one customer counts as one address. The refusal says when the stretch of time is over.
    """
    now, person = timezone.now(), request.user
    address = counted_address(client_address(request))
    who = f"person {person.pk}" if person.is_authenticated else f"address {address}"
    if count(f"{what} of {who}", stretch=stretch, now=now) <= limit:
        return None
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(math.ceil((_began(now, stretch) + stretch - now).total_seconds()))
    return response
