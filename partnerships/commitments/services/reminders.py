"""Reminding owners of what falls due, at the lead times each chose: rows first, letters after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.commitments.emails import send_reminder
from partnerships.commitments.models import (
    DEFAULT_LEAD_TIMES,
    UNDER_WAY,
    Reminder,
    ReminderChoice,
    commitment_readers,
)
from partnerships.kit.rights import require
from partnerships.organisations.rights import has_open_account
from partnerships.people.models import User

#: The longest notice one may choose, in days; nothing is looked for further ahead.
LONGEST_LEAD_TIME = 90
_AT_ONCE = 50
#: Longer than fifty letters take against a slow server.
_LEASE = dt.timedelta(minutes=10)

_QUEUE = """
INSERT INTO commitments_reminder (commitment_id, person_id, due_on, days_before, created_at, tries)
SELECT DISTINCT ON (c.id) c.id, c.owner_id, c.due_on, lead.days, %(now)s, 0
FROM commitments_commitment c
JOIN people_user u ON u.id = c.owner_id AND u.is_active
LEFT JOIN commitments_reminderchoice choice ON choice.person_id = c.owner_id
CROSS JOIN LATERAL unnest(coalesce(choice.days, %(defaults)s::smallint[])) AS lead(days)
WHERE c.status = ANY(%(under_way)s)
  AND c.due_on BETWEEN %(today)s AND %(today)s + %(longest)s
  AND c.due_on - lead.days <= %(today)s
ORDER BY c.id, lead.days
ON CONFLICT (commitment_id, person_id, due_on, days_before) DO NOTHING
"""


def choose_lead_times(*, person: User, days: Iterable[int], now: dt.datetime) -> ReminderChoice:
    """How many days ahead a person wants to be reminded of what they own; none at all means never."""
    require(has_open_account(person))
    chosen = sorted({day for day in days if 0 <= day <= LONGEST_LEAD_TIME}, reverse=True)
    with transaction.atomic():
        choice, _ = ReminderChoice.objects.update_or_create(person=person, defaults={"days": chosen})
        record(
            actor_id=person.pk,
            verb="chose when to be reminded",
            target_kind="person",
            target_id=person.pk,
            now=now,
            data={"after": chosen},
        )
    return choice


def lead_times_of(person: User) -> list[int]:
    """The lead times in force for a person, longest first."""
    choice = ReminderChoice.objects.filter(person=person).first()
    return list(DEFAULT_LEAD_TIMES) if choice is None else list(choice.days)


@transaction.atomic
def queue_reminders(*, now: dt.datetime) -> int:
    """Write down the reminders owed today, each once, in one statement; returns how many are new.

    Of several lead times that have passed (the sweep was away for a week) only the shortest is owed. A due date that
    moved
    is a new one, with reminders of its own.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE,
            {
                "now": now,
                "today": timezone.localdate(now),
                "defaults": list(DEFAULT_LEAD_TIMES),
                "under_way": list(UNDER_WAY),
                "longest": LONGEST_LEAD_TIME,
            },
        )
        return int(cursor.rowcount)


def send_waiting_reminders(*, now: dt.datetime) -> int:
    """Send the reminders that wait, each claimed and committed before its letter leaves; returns how many were sent.

    What is no longer needed by then (delivered, moved, another owner, access lost) is set aside unsent; what the mail
    server
    refused is tried again by a later sweep, `MAX_TRIES` times in all.
    """
    sent = 0
    while claimed := _claim(now=now):
        for reminder in claimed:
            commitment = reminder.commitment
            needed = (
                commitment.is_under_way
                and commitment.due_on == reminder.due_on
                and commitment.owner_id == reminder.person_id
                and commitment_readers(commitment).filter(pk=reminder.person_id).exists()
            )
            taken = needed and send_reminder(
                commitment=commitment, person=reminder.person, today=timezone.localdate(now)
            )
            _settle(reminder, sent=taken, needed=needed, now=now)
            sent += taken
    return sent


def _claim(*, now: dt.datetime) -> list[Reminder]:
    """Take some waiting reminders; nobody else gets them until the lease is over, nor does this sweep a second time."""
    with transaction.atomic():
        claimed = list(
            Reminder.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("person", "commitment__giver", "commitment__receiver", "commitment__partnership")
            .filter(sent_at=None, dropped_at=None)
            .filter(Q(claimed_until=None) | Q(claimed_until__lte=now))
            .order_by("created_at", "pk")[:_AT_ONCE]
        )
        for reminder in claimed:
            reminder.claimed_until = now + _LEASE
            reminder.tries += 1
        Reminder.objects.bulk_update(claimed, ["claimed_until", "tries"])
    return claimed


def _settle(reminder: Reminder, *, sent: bool, needed: bool, now: dt.datetime) -> None:
    """Write down what became of a claimed reminder. One that failed keeps its lease, so that a later sweep tries it."""
    if sent:
        reminder.sent_at = now
    elif not needed or reminder.tries >= Reminder.MAX_TRIES:
        reminder.dropped_at = now
    reminder.save(update_fields=["sent_at", "dropped_at"])
