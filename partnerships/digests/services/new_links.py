"""Services that send new signed links, and that make earlier links invalid."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import Delivery, DeliveryKind, Preference
from partnerships.digests.rights import may_stop_all_of
from partnerships.digests.services.emails import MAX_LINKS_A_DAY, may_be_emailed, record_digest_email
from partnerships.digests.services.journal_lines import journal_links
from partnerships.kit.link_keys import next_key
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

#: People who no longer follow anything get new links only once in this time. They need the links to follow a record
#: again, but other people may also enter their address.
LINKS_AFTER_A_STOP = dt.timedelta(days=30)


@transaction.atomic
def send_links(*, person: User, now: dt.datetime, by_own_link: bool = False) -> None:
    """Email a person new links: to change the frequency, to read the last digest, or to stop.

    Nothing is sent to people who never subscribed or got an email, or after `MAX_LINKS_A_DAY` emails within a day.
    People who no longer follow anything get links only rarely, unless they asked by their own link.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.subscriptions.exists() and not person.deliveries.exists():
        return
    emails = Delivery.objects.filter(recipient=person, kind=DeliveryKind.LINKS)
    follows_nothing = not by_own_link and not person.subscriptions.live().exists()
    if follows_nothing and emails.filter(created_at__gt=now - LINKS_AFTER_A_STOP).exists():
        return
    if may_be_emailed(person, emails, limit=MAX_LINKS_A_DAY, now=now):
        record_digest_email(DeliveryKind.LINKS, recipient_id=person.pk, now=now)
        record(actor_id=None, kind=EventKind.LINKS_SENT, target_kind="person", target_id=person.pk, now=now)


@transaction.atomic
def renew_links(*, person: User, author: User | None, now: dt.datetime) -> None:
    """Make all links sent to this person invalid."""
    require(may_stop_all_of(person, roles_of(author, now)))
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    preference.link_key = next_key(preference.link_key)
    preference.save(update_fields=["link_key"])
    journal_links(person, preference.link_key, now=now)
    record(
        actor_id=author.pk if author else None,
        kind=EventKind.LINKS_RENEWED,
        target_kind="person",
        target_id=person.pk,
        now=now,
    )
