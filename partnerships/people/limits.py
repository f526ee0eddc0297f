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

#: The moment at which the first period of every length began.
_EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_ADD_TO_COUNT = """
INSERT INTO people_tally (key, began_at, count)
VALUES (%(key)s, %(began_at)s, %(amount)s)
    ON CONFLICT (key, began_at) DO UPDATE
   SET count = people_tally.count + EXCLUDED.count
RETURNING count
"""


def _key(what: str) -> str:
    """Return a hash of the count's name, because the name may contain a person or an address."""
    return salted_hmac("partnerships.people.limits", what, algorithm="sha256").hexdigest()


def _period_start(now: dt.datetime, stretch: dt.timedelta) -> dt.datetime:
    """Return the start of the current period."""
    return now - (now - _EPOCH) % stretch


def add_to_count(what: str, *, stretch: dt.timedelta, now: dt.datetime, amount: int = 1) -> int:
    """Add to a count, and return the count of the current period.

    `what` is the name of the count, and `stretch` is the length of its periods (a minute, an hour). Within a
    transaction, other transactions that add to the same count wait until it ends, and a rollback undoes the addition.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ADD_TO_COUNT, {"key": _key(what), "began_at": _period_start(now, stretch), "amount": amount})
        new_count: int = cursor.fetchone()[0]
    return new_count


def count_since(what: str, since: dt.datetime) -> int:
    """Return the total count of all periods that began after a moment."""
    tallies = Tally.objects.filter(key=_key(what), began_at__gt=since).aggregate(sum=Sum("count"))
    return tallies["sum"] or 0


def refuse_too_many(
    request: HttpRequest, what: str, *, limit: int, stretch: dt.timedelta, who: str = "", amount: int = 1
) -> HttpResponse | None:
    """Count a request, or the `amount` of items that it needs; return the 429 response if that is above the limit.

    By default, each signed-in person has a count, and each IP address for requests without a signed-in person. `who`
    names another count. The response says when to try again.
    """
    now = timezone.now()
    who = who or _requester_key(request)
    if add_to_count(f"{what} of {who}", stretch=stretch, now=now, amount=amount) <= limit:
        return None
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(math.ceil((_period_start(now, stretch) + stretch - now).total_seconds()))
    return response


def refuse_too_many_uploads(request: HttpRequest) -> HttpResponse | None:
    """Count an upload of a spreadsheet or list; return the 429 response if that is above the limit."""
    return refuse_too_many(request, "uploads", limit=settings.UPLOADS_PER_HOUR, stretch=dt.timedelta(hours=1))


def _requester_key(request: HttpRequest) -> str:
    """Return a name for the signed-in person or, if nobody is signed in, for the IP address.

    An IPv6 /64 is treated as one address, because one customer has all of it.
    """
    person = request.user
    if person.is_authenticated:
        return f"person {person.pk}"
    return f"address {counted_address(client_address(request))}"
