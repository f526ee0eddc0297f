"""Telling people without an account of a succession."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from partnerships.digests.models import Delivery, DeliveryKind
from partnerships.digests.queries.successions import moved_for, stakeholders_of
from partnerships.organisations.models import Succession
from partnerships.outbox.services import record_emails


@transaction.atomic
def tell_stakeholders(successions: Sequence[Succession], /, *, is_later: bool, now: dt.datetime) -> int:
    """Email each stakeholder that successions of one order concern, once.

    Returns how many. `is_later`: the second email, to those who were told that something awaits an organisation, once
    nothing does.
    """
    first, *other_successions = successions
    people = _now_settled(successions, now) if is_later else stakeholders_of(successions, day=timezone.localdate(now))
    params = {"succession": first.pk, "also": [other.pk for other in other_successions], "is_later": is_later}
    return len(record_emails(kind=DeliveryKind.SUCCESSION, people=people, params=params, now=now))


def _now_settled(successions: Sequence[Succession], now: dt.datetime) -> list[int]:
    """People (ids) who were told of the order, and of whose things more has passed on since and nothing is left."""
    following = stakeholders_of(successions, day=timezone.localdate(now))
    # By person, because an index has those: the ledger holds the emails of years.
    deliveries = Delivery.objects.filter(
        recipient__in=following,
        kind=DeliveryKind.SUCCESSION,
        params__succession__in=[succession.pk for succession in successions],
    )
    people = set(deliveries.values_list("recipient", flat=True)) - set(
        deliveries.filter(params__is_later=True).values_list("recipient", flat=True)
    )
    moved = moved_for(successions, people, day=timezone.localdate(now), is_later=True, now=now) if people else {}
    return sorted(pk for pk, state in moved.items() if state.passed and not state.waiting)
