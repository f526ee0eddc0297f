"""Records the regular emails about new entries, and about entries that close soon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from partnerships.exchange.models import Audience, Entry, EntryQuerySet, Receipt
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.models import EDITING_ROLES, Membership, Role
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails
from partnerships.people.lead_times import LeadTimesByPerson, is_time_to_remind, lead_times_by_person
from partnerships.people.models import ReminderKind

#: No email announces an entry that was shared longer ago than this.
NEWS = dt.timedelta(days=1)


def email_new_entries(*, now: dt.datetime, limit: int = 200) -> int:
    """Record emails to leads of the organisations that new entries ask, and return the number of emails.

    Entries for the whole network cause no emails. This may run twice, because the transaction that records the emails
    of an entry also sets its `told_at`.
    """
    email_count = 0
    for _ in range(limit):
        with transaction.atomic():
            entry = _next_new_entry(now)
            if entry is None:
                break
            people = leads_with_account(addressed_ids(entry) or set()).exclude(pk=entry.created_by_id or 0)
            email_count += len(
                record_emails(
                    kind="exchange.asked",
                    people=people.values_list("pk", flat=True),
                    params={"entry": entry.pk},
                    sender_id=entry.organisation_id,
                    now=now,
                )
            )
            Entry.objects.filter(pk=entry.pk).update(told_at=now)
    return email_count


def _next_new_entry(now: dt.datetime) -> Entry | None:
    """Lock and return the oldest new entry that has not been announced; None if there is none."""
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


def remind_of_closing(*, now: dt.datetime) -> int:
    """Record reminders of unanswered entries that close soon, and return the number of emails.

    * The author of the entry gets a reminder. If they have left, the leads of their organisation get it.
    * Each organisation that the entry asks by name or as a party gets a reminder, sent to the colleague that the entry
      was referred to. Without a referral, its leads get it. Nobody else gets one about entries for the whole network.

    Each person is reminded at the lead times that they chose. This may run twice, because the transaction that records
    the emails of an entry also sets its `reminded_at`.
    """
    lead_times = lead_times_by_person(ReminderKind.ASKS)
    today = timezone.localdate(now)
    closing_soon = _closing_within(max(lead_times.any_days), now).order_by("closes_on", "pk")
    due_ids = [
        pk
        for pk, closes_on, reminded_at in closing_soon.values_list("pk", "closes_on", "reminded_at")
        if _is_due(lead_times.any_days, closes_on, reminded_at, today)
    ]
    return sum(_remind_of(pk, lead_times, now) for pk in due_ids)


def _is_due(
    lead_times: Collection[int], closes_on: dt.date | None, reminded_at: dt.datetime | None, today: dt.date
) -> bool:
    """Return whether an entry that closes on this day needs a reminder today."""
    if closes_on is None:
        return False
    last_reminder = timezone.localdate(reminded_at) if reminded_at else None
    return is_time_to_remind(lead_times, closes_on, last_reminder=last_reminder, today=today)


@transaction.atomic
def _remind_of(pk: int, lead_times: LeadTimesByPerson, now: dt.datetime) -> int:
    """Remind the people who are due a reminder of this entry today, and return the number of emails.

    Returns 0 if another process is sending reminders of the entry at the same time.
    """
    today = timezone.localdate(now)
    entries = _closing_within(max(lead_times.any_days), now).filter(pk=pk)
    entry = entries.select_for_update(of=("self",), skip_locked=True).first()
    if entry is None:
        return 0
    is_own_by_person = {
        person_id: is_own
        for person_id, is_own in recipients_of(entry).items()
        if _is_due(lead_times.of(person_id), entry.closes_on, entry.reminded_at, today)
    }
    if not is_own_by_person:
        return 0

    # People of the entry's organisation get a different email from those who should answer.
    email_count = 0
    for to_own_people in (True, False):
        emails = record_emails(
            kind="exchange.closing_soon",
            people=[person_id for person_id, is_own in is_own_by_person.items() if is_own == to_own_people],
            params={"entry": entry.pk, "own": to_own_people, "closes_on": str(entry.closes_on)},
            sender_id=entry.organisation_id,
            now=now,
        )
        email_count += len(emails)
    Entry.objects.filter(pk=entry.pk).update(reminded_at=now)
    return email_count


def _closing_within(days: int, now: dt.datetime) -> EntryQuerySet:
    """Return the unanswered entries that close within this many days."""
    today = timezone.localdate(now)
    return Entry.objects.unanswered().filter(
        is_open=True,
        closes_on__gte=today,
        closes_on__lte=today + dt.timedelta(days=days),
        # An entry that was shared only yesterday or today needs no reminder yet.
        shared_at__lt=now - dt.timedelta(days=1),
    )


def recipients_of(entry: Entry) -> dict[int, bool]:
    """Return the ids of the people to remind, each with whether they act for the organisation of the entry.

    For example, `{7: True, 9: False}` if person 7 wrote the entry and person 9 should answer it.
    """
    memberships = Membership.objects.current()
    memberships_of_author = memberships.filter(
        person=entry.created_by_id, organisation=entry.organisation_id, role__in=EDITING_ROLES
    )
    memberships_of_leads = memberships.filter(organisation=entry.organisation_id, role=Role.LEAD)
    own_memberships = memberships_of_author if memberships_of_author.exists() else memberships_of_leads
    is_own_by_person = dict.fromkeys(own_memberships.order_by("pk").values_list("person", flat=True), True)

    for person_id in _people_to_answer(entry):
        is_own_by_person.setdefault(person_id, False)
    return is_own_by_person


def _people_to_answer(entry: Entry) -> list[int]:
    """Return the ids of the people who should answer the entry for the organisations that it asks."""
    receipts = Receipt.objects.filter(entry=entry)
    declined_ids = receipts.filter(declined_at__isnull=False).values_list("organisation_id", flat=True)
    undecided_ids = (addressed_ids(entry) or set()) - set(declined_ids)
    referrals = receipts.filter(referred_to__isnull=False)
    colleague_by_organisation = dict(referrals.values_list("organisation_id", "referred_to"))

    person_ids: list[int] = []
    memberships = Membership.objects.current().filter(organisation__in=undecided_ids, role__in=EDITING_ROLES)
    for membership in memberships.order_by("pk"):
        colleague_id = colleague_by_organisation.get(membership.organisation_id)
        is_responsible = membership.is_lead if colleague_id is None else membership.person_id == colleague_id
        if is_responsible:
            person_ids.append(membership.person_id)
    return person_ids
