"""Services that remind people of several asks and offers at once, with one email for each person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction

from partnerships.activity.models import Event
from partnerships.exchange.models import Entry
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.notices import recipients_of
from partnerships.exchange.services.recording import UnableToChangeEntry, event_kind_of, lock_entry, record_event
from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.models import User

#: People can send reminders of an ask or offer at most once in this time.
BETWEEN_REMINDERS = dt.timedelta(days=7)


class UnableToRemindOfEntry(UnableToChangeEntry):
    """Raised if nobody has to answer the entry, or the organisations were reminded within the last week."""


@transaction.atomic
def remind_of_entry(*, entry: Entry, author: User, now: dt.datetime) -> Entry:
    """Record that an entry's organisation reminds the organisations that have not answered.

    This can happen once a week for each entry. `email_about_waiting_entries` sends the emails. Raises
    `UnableToRemindOfEntry`.
    """
    lock_entry(entry)
    require(
        rights_over(entry, author, now).may_edit,
        f"Only editors and leads of {entry.organisation.name} can send reminders about this {entry.noun}.",
    )
    if not Entry.objects.unanswered().filter(pk=entry.pk, is_open=True).exists():
        raise UnableToRemindOfEntry(
            "These asks and offers have been answered or have ended, so nobody needs a reminder."
        )
    if all(recipients_of(entry).values()):
        raise UnableToRemindOfEntry(
            "No particular organisation has to answer these asks and offers, so there is nobody to remind."
        )

    event = event_kind_of(entry, "reminded")
    recent_reminders = Event.objects.filter(kind=event, at__gt=now - BETWEEN_REMINDERS)
    if recent_reminders.filter(target_kind="entry", target_id=entry.pk).exists():
        raise UnableToRemindOfEntry(
            "The organisations that have not answered were reminded within the last 7 days. You can remind them once "
            "every 7 days."
        )

    record_event(entry, event=event, author=author, organisation=entry.organisation_id, now=now)
    return entry


def email_about_waiting_entries(*, entries: Iterable[Entry], author: User, now: dt.datetime) -> None:
    """Email each person who should answer some of the entries, with one email about all of them.

    Call this inside the transaction of the reminders, so that emails and reminders are recorded together.
    """
    entry_ids_by_person: dict[int, list[int]] = {}
    for entry in entries:
        for person_id, is_own in recipients_of(entry).items():
            if not is_own:
                entry_ids_by_person.setdefault(person_id, []).append(entry.pk)
    _email_people(entry_ids_by_person, author=author, waits=True, now=now)


def email_facilitators(*, entries: Iterable[Entry], person: User, author: User, now: dt.datetime) -> None:
    """Email a person about all entries that the person now facilitates, with one email.

    Call this inside the transaction of the change, so that email and change are recorded together.
    """
    _email_people({person.pk: [entry.pk for entry in entries]}, author=author, waits=False, now=now)


def _email_people(entry_ids_by_person: Mapping[int, list[int]], *, author: User, waits: bool, now: dt.datetime) -> None:
    """Email each person about their entries, except the author, who made the change."""
    for person_id, entry_ids in sorted(entry_ids_by_person.items()):
        if person_id == author.pk:
            continue
        record_emails(
            kind="exchange.several",
            people=[person_id],
            params={"entry": entry_ids[0], "entries": entry_ids, "waits": waits, "author": author.pk},
            now=now,
        )
