"""Emails with a scheduled report, or about one that could not be made."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User
from partnerships.reports.models import FrozenReport, Recipient, Schedule
from partnerships.reports.presenting import rows_of_text
from partnerships.reports.queries import readable_figures
from partnerships.reports.wording import creation_in_words

#: An email shows at most this many rows of the report's first table. The page has all rows.
MAX_ROWS = 12


def write_scheduled_report(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email with the figures of a frozen report.

    If the person may no longer read the report, or no longer gets it, return why no email is needed.
    """
    frozen = FrozenReport.objects.visible_to_current_audience(person).filter(pk=due.params["frozen"]).first()
    if frozen is None:
        return "The recipient can no longer read this report."
    if not Recipient.objects.filter(schedule=due.params["schedule"], person=person).exists():
        return "The recipient no longer gets this report."
    snapshot = readable_figures(frozen, person, now)
    first_table = next((table for table in snapshot.tables if table.rows), None)
    # The first of these rows has the headings of the columns.
    text_rows = list(rows_of_text(first_table)) if first_table else []
    context = {
        "person": person,
        "frozen": frozen,
        "snapshot": snapshot,
        "made": creation_in_words(snapshot),
        "table": first_table,
        "headings": text_rows[0] if text_rows else [],
        "rows": text_rows[1 : MAX_ROWS + 1],
        "more": max(0, len(text_rows) - 1 - MAX_ROWS),
        "address": f"{settings.SITE_ORIGIN}{frozen.get_absolute_url()}",
        "manage": link("reports:schedule", pk=due.params["schedule"]),
    }
    return Content("reports/scheduled", context)


def write_report_not_made(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email which says that a scheduled report could not be made.

    The email names the cause, which is an invalid filter or a failure. If the schedule has ended or the person may no
    longer read it, return why no email is needed.
    """
    schedules = Schedule.objects.visible_to(person).select_related("organisation", "partnership")
    schedule = schedules.filter(pk=due.params["schedule"], ended_at=None).first()
    if schedule is None:
        return "The schedule has ended, or the recipient can no longer read the report."
    context = {
        "person": person,
        "schedule": schedule,
        "failed": due.params.get("why") == "failed",
        "href": link("reports:schedule", pk=schedule.pk),
    }
    return Content("reports/not_made", context)
