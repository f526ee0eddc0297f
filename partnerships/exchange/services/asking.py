"""Telling those whom an ask or offer is addressed to, once, as soon as it is shared."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails

#: What was shared earlier is no news: nobody is told of it any more.
NEWS = dt.timedelta(days=1)


def tell_asked(*, now: dt.datetime, limit: int = 200) -> int:
    """Record emails to the leads of the organisations that entries shared of late ask; returns how many.

    Nobody is told of what asks the whole network. May run twice: an entry is marked in the transaction that records
    its emails.
    """
    recorded = 0
    for _ in range(limit):
        with transaction.atomic():
            entry = _next(now)
            if entry is None:
                break
            people = leads_with_account(addressed_ids(entry) or set()).exclude(pk=entry.created_by_id or 0)
            recorded += len(
                record_emails(
                    kind="exchange.asked",
                    people=people.values_list("pk", flat=True),
                    params={"entry": entry.pk},
                    sender_id=entry.organisation_id,
                    now=now,
                )
            )
            Entry.objects.filter(pk=entry.pk).update(told_at=now)
    return recorded


def _next(now: dt.datetime) -> Entry | None:
    return (
        Entry.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(
            is_open=True,
            told_at=None,
            audience__in=[Audience.NAMED, Audience.PARTNERSHIP],
            shared_at__gt=now - NEWS,
        )
        .order_by("shared_at", "pk")
        .first()
    )
