"""Service that reminds owners of due dates, at the lead times that they have chosen."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.utils import timezone

from partnerships.commitments.models import UNDER_WAY_STATUSES, Reminder
from partnerships.outbox.services import record_email
from partnerships.people.lead_times import LONGEST_LEAD_TIME, USUAL_LEAD_TIMES
from partnerships.people.models import ReminderKind

# The lead times are those that the owner has chosen, or else the usual ones. If several have passed, DISTINCT ON takes
# the shortest. ON CONFLICT skips reminders that already exist.
_INSERT_REMINDERS = """
INSERT INTO commitments_reminder (commitment_id, person_id, due_on, days_before, created_at)
SELECT DISTINCT ON (c.id) c.id, c.owner_id, c.due_on, lead.days, %(now)s
FROM commitments_commitment c
JOIN people_user u ON u.id = c.owner_id AND u.is_active
LEFT JOIN people_leadtimes choice ON choice.person_id = c.owner_id AND choice.kind = %(kind)s
CROSS JOIN LATERAL unnest(coalesce(choice.days, %(defaults)s::smallint[])) AS lead(days)
WHERE c.status = ANY(%(under_way)s)
  AND c.due_on BETWEEN %(today)s AND %(today)s + %(longest)s
  AND c.due_on - lead.days <= %(today)s
ORDER BY c.id, lead.days
ON CONFLICT (commitment_id, person_id, due_on, days_before) DO NOTHING
"""


@transaction.atomic
def remind_owners(*, now: dt.datetime) -> int:
    """Record today's reminders with their emails, and return how many are new.

    If this did not run for a week, several lead times may have passed. Only the shortest of them gets a reminder. If
    the due date changes, the new date gets reminders of its own. When the email is composed, it is checked again that
    the commitment is still due on that day.
    """
    _insert_reminders(now)
    waiting_reminders = Reminder.objects.select_for_update(skip_locked=True).filter(sent_at=None, dropped_at=None)
    new_reminders = list(waiting_reminders.order_by("pk"))
    for reminder in new_reminders:
        # The id of the reminder is left out, because the same reminder may get another id after a restore.
        params = {
            "commitment": reminder.commitment_id,
            "due_on": reminder.due_on.isoformat(),
            "days_before": reminder.days_before,
        }
        record_email(kind="commitments.reminder", person_id=reminder.person_id, params=params, now=now)
    Reminder.objects.filter(pk__in=[reminder.pk for reminder in new_reminders]).update(sent_at=now)
    return len(new_reminders)


def _insert_reminders(now: dt.datetime) -> None:
    """Insert the reminders that are due today and do not exist yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_REMINDERS,
            {
                "now": now,
                "today": timezone.localdate(now),
                "defaults": list(USUAL_LEAD_TIMES[ReminderKind.COMMITMENTS]),
                "kind": ReminderKind.COMMITMENTS.value,
                "under_way": list(UNDER_WAY_STATUSES),
                "longest": LONGEST_LEAD_TIME,
            },
        )
