"""Records the emails of this room, and limits how many each person gets."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.digests.models import Delivery, DeliveryKind, OpenDigest, Subscription
from partnerships.outbox.models import Email
from partnerships.outbox.queries.suppressions import is_suppressed
from partnerships.outbox.services import UnableToRecordEmail, record_email
from partnerships.people.models import User

#: The most emails with new links that one person may get in a day. There is a limit because anybody who knows their
#: address can ask for new links. It also applies to confirmation emails that are sent again by link.
MAX_LINKS_A_DAY = 3


def may_be_emailed(person: User, emails: QuerySet[Delivery], *, limit: int, now: dt.datetime) -> bool:
    """Return True if the person may get another of these emails today."""
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
    """Record an email of this room; only a confirmation email has a `subscription`."""
    email = record_email(
        kind=kind,
        person_id=recipient_id,
        params={"subscription": subscription.pk} if subscription else {},
        sender_id=subscription.added_for_id if subscription else None,
        repeat_of_id=repeat_of_id,
        now=now,
    )
    if email is None:
        raise UnableToRecordEmail("Emails of this room are always sent at once.")
    if kind == DeliveryKind.DIGEST:
        OpenDigest.objects.create(recipient_id=recipient_id, repeat_of_id=repeat_of_id or 0, email_id=email.pk)
    return email
