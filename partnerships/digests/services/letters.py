"""Letters that somebody asks for: whether one more may go to a person, and queueing it."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.digests.models import Delivery, DeliveryKind, Subscription, Suppression
from partnerships.people.models import User

#: Letters with new links, which whoever knows an address may ask for, a day and person; and so many in which a link of
#: theirs has one thing asked once more.
MOST_LINKS_A_DAY = 3


def may_be_written_to(person: User, letters: QuerySet[Delivery], *, most: int, now: dt.datetime) -> bool:
    """Whether one more of these letters may go to a person within a day."""
    if not person.is_active or Suppression.objects.filter(address__iexact=person.email, released_at=None).exists():
        return False
    return letters.filter(created_at__gt=now - dt.timedelta(days=1)).count() < most


def queue(
    kind: DeliveryKind,
    *,
    recipient_id: int,
    subscription: Subscription | None = None,
    repeat_of: Delivery | None = None,
    now: dt.datetime,
) -> Delivery:
    """Let one more letter leave as soon as it can."""
    return Delivery.objects.create(
        recipient_id=recipient_id,
        kind=kind,
        subscription=subscription,
        available_at=now,
        created_at=now,
        repeat_of=repeat_of,
    )
