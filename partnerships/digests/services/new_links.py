"""The signed links of a person: sending new ones, and making the old worthless."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Delivery, DeliveryKind, Preference
from partnerships.digests.services.emails import MAX_LINKS_A_DAY, may_be_written_to, record_digest_email
from partnerships.people.models import User

#: To whoever follows nothing any more one such letter goes in so long: a stranger who types their address is no reason
#: to write to them, but it is also their own way back.
LINKS_AFTER_A_STOP = dt.timedelta(days=30)


@transaction.atomic
def send_links(*, person: User, now: dt.datetime, by_own_link: bool = False) -> None:
    """Send new links to a person's own address: to choose how often, to read their last digest, to stop.

    To whoever never asked for or got anything none goes, nor more than so many a day; to whoever follows nothing any
    more and did not ask by a link of their own, only one in a long while.
    """
    locked = User.objects.select_for_update().get(pk=person.pk)
    letters = Delivery.objects.filter(recipient=locked, kind=DeliveryKind.LINKS)
    known = locked.subscriptions.exists() or locked.deliveries.exists()
    if not by_own_link and not locked.subscriptions.live().exists():
        known = known and not letters.filter(created_at__gt=now - LINKS_AFTER_A_STOP).exists()
    if known and may_be_written_to(locked, letters, limit=MAX_LINKS_A_DAY, now=now):
        record_digest_email(DeliveryKind.LINKS, recipient_id=locked.pk, now=now)
        record(actor_id=None, kind=EventKind.LINKS_SENT, target_kind="person", target_id=locked.pk, now=now)


@transaction.atomic
def renew_links(*, person: User, author: User | None, now: dt.datetime) -> None:
    """Make every link that was sent to this person worthless."""
    preference, _ = Preference.objects.get_or_create(person=person)
    preference.link_key = secrets.token_hex(16)
    preference.save(update_fields=["link_key"])
    record(
        actor_id=author.pk if author else None,
        kind=EventKind.LINKS_RENEWED,
        target_kind="person",
        target_id=person.pk,
        now=now,
    )
