"""Emails stakeholders about successions of organisations, if these affect records that they follow."""

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
    """Email the stakeholders who are affected by the successions of one order, and return how many.

    The first email is sent to all of them. It may say that some records do not belong to a new organisation yet. Once
    all do, the same people get the second email (`is_later`).
    """
    first_succession, *other_successions = successions
    if is_later:
        people = _people_to_email_again(successions, now)
    else:
        people = stakeholders_of(successions, day=timezone.localdate(now))
    params = {
        "succession": first_succession.pk,
        "also": [other.pk for other in other_successions],
        "is_later": is_later,
    }
    return len(record_emails(kind=DeliveryKind.SUCCESSION, people=people, params=params, now=now))


def _people_to_email_again(successions: Sequence[Succession], now: dt.datetime) -> list[int]:
    """Return the ids of people who got the first email, if all their remaining records have a new organisation now."""
    stakeholder_ids = stakeholders_of(successions, day=timezone.localdate(now))
    # Looked up by recipient, for which there is an index, because the ledger contains the emails of years.
    deliveries = Delivery.objects.filter(
        recipient__in=stakeholder_ids,
        kind=DeliveryKind.SUCCESSION,
        params__succession__in=[succession.pk for succession in successions],
    )
    emailed_ids = set(deliveries.values_list("recipient", flat=True))
    emailed_twice_ids = set(deliveries.filter(params__is_later=True).values_list("recipient", flat=True))
    person_ids = emailed_ids - emailed_twice_ids
    if not person_ids:
        return []
    moved_by_person = moved_for(successions, person_ids, day=timezone.localdate(now), is_later=True, now=now)
    return sorted(pk for pk, moved in moved_by_person.items() if moved.passed and not moved.waiting)
