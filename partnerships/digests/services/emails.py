"""Emails that somebody asks for: whether one more may go to a person, and recording it."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.digests.models import Delivery, DeliveryKind, OpenDigest, Subscription
from partnerships.outbox.models import Email
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.outbox.services import record_email
from partnerships.people.models import User

#: How many emails with new links may be asked for, a day and person: anybody who knows an address may ask. The same
#: limit holds for being asked about one thing again, by a link of one's own.
MAX_LINKS_A_DAY = 3


def may_be_written_to(person: User, emails: QuerySet[Delivery], *, limit: int, now: dt.datetime) -> bool:
    """Whether one more of these emails may go to a person within a day."""
    if not person.is_active or is_suppressed(person.email):
        return False
    return emails.filter(created_at__gt=now - dt.timedelta(days=1)).count() < limit


def record_digest_email(
    kind: DeliveryKind,
    *,
    recipient_id: int,
    subscription: Subscription | None = None,
    repeat_of_id: int | None = None,
    now: dt.datetime,
) -> Email:
    """Record one more email, to leave as soon as it can."""
    made = record_email(
        kind=kind,
        person_id=recipient_id,
        params={"subscription": subscription.pk} if subscription else {},
        sender_id=subscription.added_for_id if subscription else None,
        repeat_of_id=repeat_of_id,
        now=now,
    )
    if kind == DeliveryKind.DIGEST:
        OpenDigest.objects.create(recipient_id=recipient_id, repeat_of_id=repeat_of_id or 0, email_id=made.pk)
    return made
