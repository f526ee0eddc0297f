"""Writing to those whom an ask or offer is addressed to, once, as soon as it is shared."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.exchange.emails import send_asked
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.queries import leads_with_account

#: What was shared earlier is no news: nobody is written to about it any more.
NEWS = dt.timedelta(days=1)


def tell_asked(*, now: dt.datetime, most: int = 200) -> int:
    """Write to the leads of the organisations that entries shared of late ask; returns how many letters.

    The whole network is not written to. Each entry is claimed before its letters leave: a crash may lose a letter, and
    never repeats one.
    """
    sent = 0
    for _ in range(most):
        entry = _claim(now)
        if entry is None:
            break
        for person in leads_with_account(addressed_ids(entry) or set()).exclude(pk=entry.created_by_id or 0):
            sent += send_asked(entry, person)
    return sent


@transaction.atomic
def _claim(now: dt.datetime) -> Entry | None:
    entry = (
        Entry.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(
            is_open=True,
            told_at=None,
            audience__in=[Audience.NAMED, Audience.PARTNERSHIP],
            shared_at__gt=now - NEWS,
        )
        .select_related("organisation")
        .order_by("shared_at", "pk")
        .first()
    )
    if entry is not None:
        Entry.objects.filter(pk=entry.pk).update(told_at=now)
    return entry
