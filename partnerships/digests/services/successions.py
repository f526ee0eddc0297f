"""Emails stakeholders about successions of organisations that concern what they follow."""

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
    """Email each stakeholder whom successions of one order concern; returns how many.

    There is a first email and, with `is_later`, a second one: to those who were told that something has no new
    organisation yet, when everything has one.
    """
    first, *other_successions = successions
    if is_later:
        people = _people_with_all_settled(successions, now)
    else:
        people = stakeholders_of(successions, day=timezone.localdate(now))
    params = {"succession": first.pk, "also": [other.pk for other in other_successions], "is_later": is_later}
    return len(record_emails(kind=DeliveryKind.SUCCESSION, people=people, params=params, now=now))


def _people_with_all_settled(successions: Sequence[Succession], now: dt.datetime) -> list[int]:
    """Return the ids of people who were told about the order, and for whom what was left has passed on since."""
    stakeholder_ids = stakeholders_of(successions, day=timezone.localdate(now))
    # Looked up by recipient, for which there is an index: the ledger has the emails of years.
    deliveries = Delivery.objects.filter(
        recipient__in=stakeholder_ids,
        kind=DeliveryKind.SUCCESSION,
        params__succession__in=[succession.pk for succession in successions],
    )
    told_ids = set(deliveries.values_list("recipient", flat=True))
    told_twice_ids = set(deliveries.filter(params__is_later=True).values_list("recipient", flat=True))
    person_ids = told_ids - told_twice_ids
    if not person_ids:
        return []
    moved_by_person = moved_for(successions, person_ids, day=timezone.localdate(now), is_later=True, now=now)
    return sorted(pk for pk, moved in moved_by_person.items() if moved.passed and not moved.waiting)
