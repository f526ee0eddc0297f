"""Reminders for owners, at the lead times they chose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import DEFAULT_LEAD_TIMES, UNDER_WAY, Reminder, ReminderChoice
from partnerships.kit.rights import require
from partnerships.organisations.rights import has_open_account
from partnerships.outbox.services import record_email
from partnerships.people.models import User

#: Longest lead time, in days.
LONGEST_LEAD_TIME = 90
_QUEUE = """
INSERT INTO commitments_reminder (commitment_id, person_id, due_on, days_before, created_at)
SELECT DISTINCT ON (c.id) c.id, c.owner_id, c.due_on, lead.days, %(now)s
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
    """Choose how many days ahead to be reminded; an empty list means never."""
    require(has_open_account(person))
    chosen = sorted({day for day in days if 0 <= day <= LONGEST_LEAD_TIME}, reverse=True)
    with transaction.atomic():
        choice, _ = ReminderChoice.objects.update_or_create(person=person, defaults={"days": chosen})
        record(
            actor_id=person.pk,
            kind=EventKind.REMINDERS_CHOSEN,
            target_kind="person",
            target_id=person.pk,
            now=now,
            data={"after": chosen},
        )
    return choice


def lead_times_of(person: User) -> list[int]:
    """A person's lead times, longest first."""
    choice = ReminderChoice.objects.filter(person=person).first()
    return list(DEFAULT_LEAD_TIMES) if choice is None else list(choice.days)


@transaction.atomic
def remind_owners(*, now: dt.datetime) -> int:
    """Record today's reminders with their emails; the number of new ones.

    If several lead times have passed, because the sweep did not run for a week, only the shortest counts. A changed due
    date gets reminders of its own. The email is checked again when it is composed.
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
    waiting = Reminder.objects.select_for_update(skip_locked=True).filter(sent_at=None, dropped_at=None)
    owed = list(waiting.order_by("pk"))
    for reminder in owed:
        # Not its id: after a restore the same reminder is written again with another id.
        params = {
            "commitment": reminder.commitment_id,
            "due_on": reminder.due_on.isoformat(),
            "days_before": reminder.days_before,
        }
        record_email(kind="commitments.reminder", person_id=reminder.person_id, params=params, now=now)
    Reminder.objects.filter(pk__in=[reminder.pk for reminder in owed]).update(sent_at=now)
    return len(owed)
