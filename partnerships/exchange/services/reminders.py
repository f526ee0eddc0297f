"""Reminding both sides before an unanswered entry lapses."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.exchange.models import Entry, Receipt
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.models import EDITING_ROLES, Membership, Role
from partnerships.outbox.services import record_emails

#: How many days before its last day both sides are reminded, once.
LEAD_DAYS = 7


def remind_of_closing(*, now: dt.datetime, limit: int = 200) -> int:
    """Record emails to both sides of what nobody has answered and closes within a week; returns how many.

    Its own side: the person who wrote it, or the leads. The side it asks by name or partnership: the colleague it was
    referred to, or the leads. Nobody is reminded of what asks the whole network. May run twice: an entry is marked in
    the transaction that records its emails.
    """
    recorded = 0
    for _ in range(limit):
        with transaction.atomic():
            entry = _next(now)
            if entry is None:
                break
            recipients = _recipients(entry)
            for own in (True, False):
                recorded += len(
                    record_emails(
                        kind="exchange.closing_soon",
                        people=[person for person, is_own in recipients.items() if is_own == own],
                        params={"entry": entry.pk, "own": own, "closes_on": str(entry.closes_on)},
                        sender_id=entry.organisation_id,
                        now=now,
                    )
                )
            Entry.objects.filter(pk=entry.pk).update(reminded_at=now)
    return recorded


def _next(now: dt.datetime) -> Entry | None:
    today = timezone.localdate(now)
    return (
        Entry.objects.unanswered()
        .select_for_update(of=("self",), skip_locked=True)
        .filter(
            is_open=True,
            reminded_at=None,
            closes_on__gte=today,
            closes_on__lte=today + dt.timedelta(days=LEAD_DAYS),
            # What was shared with a few days to go needs no reminder the moment it is shared.
            shared_at__lt=now - dt.timedelta(days=1),
        )
        .order_by("closes_on", "pk")
        .first()
    )


def _recipients(entry: Entry) -> dict[int, bool]:
    """The numbers of those to remind, and whether they are of its own side."""
    current = Membership.objects.current()
    writer = current.filter(person=entry.created_by_id, organisation=entry.organisation_id, role__in=EDITING_ROLES)
    own = writer if writer.exists() else current.filter(organisation=entry.organisation_id, role=Role.LEAD)
    people = dict.fromkeys(own.order_by("pk").values_list("person", flat=True), True)
    declined = Receipt.objects.filter(entry=entry, declined_at__isnull=False).values_list("organisation_id", flat=True)
    asked = (addressed_ids(entry) or set()) - set(declined)
    referred = dict(
        Receipt.objects.filter(entry=entry, referred_to__isnull=False).values_list("organisation_id", "referred_to")
    )
    for row in current.filter(organisation__in=asked, role__in=EDITING_ROLES).order_by("pk"):
        colleague = referred.get(row.organisation_id)
        if row.person_id == colleague or (colleague is None and row.is_lead):
            people.setdefault(row.person_id, False)
    return people
