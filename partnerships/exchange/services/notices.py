"""Emails that the clock records: new entries, and entries closing soon."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.exchange.models import Audience, Entry, Receipt
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.models import EDITING_ROLES, Membership, Role
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails

#: Entries shared longer ago than this get no email about being new.
NEWS = dt.timedelta(days=1)
#: How many days before its closing date both sides get a reminder, once.
LEAD_DAYS = 7


def email_new_entries(*, now: dt.datetime, limit: int = 200) -> int:
    """Record emails to leads of the organisations that new entries ask.

    Entries for the whole network get none. Safe to run twice: an entry is marked in the transaction that records its
    emails. Returns the number of emails.
    """
    recorded = 0
    for _ in range(limit):
        with transaction.atomic():
            entry = _next_new(now)
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


def _next_new(now: dt.datetime) -> Entry | None:
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


def remind_of_closing(*, now: dt.datetime, limit: int = 200) -> int:
    """Record reminders to both sides of unanswered entries that close soon.

    On the entry's side, its author gets one, or else its leads. In each organisation that it asks by name or as a
    party, the colleague it was referred to gets one, or else the leads. Entries for the whole network remind only their
    own side. Safe to run twice: an entry is marked in the transaction that records its emails. Returns the number of
    emails.
    """
    recorded = 0
    for _ in range(limit):
        with transaction.atomic():
            entry = _next_closing(now)
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


def _next_closing(now: dt.datetime) -> Entry | None:
    today = timezone.localdate(now)
    return (
        Entry.objects.unanswered()
        .select_for_update(of=("self",), skip_locked=True)
        .filter(
            is_open=True,
            reminded_at=None,
            closes_on__gte=today,
            closes_on__lte=today + dt.timedelta(days=LEAD_DAYS),
            # An entry shared a few days before it closes needs no reminder at once.
            shared_at__lt=now - dt.timedelta(days=1),
        )
        .order_by("closes_on", "pk")
        .first()
    )


def _recipients(entry: Entry) -> dict[int, bool]:
    """Ids of the people to remind, and whether they are on the entry's side."""
    current = Membership.objects.current()
    author = current.filter(person=entry.created_by_id, organisation=entry.organisation_id, role__in=EDITING_ROLES)
    own = author if author.exists() else current.filter(organisation=entry.organisation_id, role=Role.LEAD)
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
