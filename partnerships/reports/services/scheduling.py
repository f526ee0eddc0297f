"""Schedule reports, and on each due day freeze them and email their figures to the recipients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.digests.queries.stoppable import SingleStop
from partnerships.kit.dates import long_date
from partnerships.kit.leased_jobs import was_cancelled
from partnerships.kit.operators import alert_operators
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.reports.event_kinds import EventKind
from partnerships.reports.frequencies import Frequency
from partnerships.reports.models import FrozenReport, Recipient, Schedule
from partnerships.reports.queries import has_valid_filters_for, people_of_audience
from partnerships.reports.registry import find_report
from partnerships.reports.rights import may_report_for
from partnerships.reports.services.freezing import UnableToFreeze, freeze_report
from partnerships.reports.services.recording import journal_recipient, journal_schedule, lock_audience, record_event

log = structlog.get_logger(__name__)

#: An organisation or partnership has at most this many running schedules.
MAX_SCHEDULES = 20
#: After this many failed attempts, a report is postponed to its next day.
MAX_TRIES = 3


class UnableToSchedule(Exception):
    """Raised if a detail of the schedule is not valid, or if there are too many schedules.

    The details are the report, its filters, name, frequency, first day and recipients.
    """


@dataclass(frozen=True, slots=True)
class ScheduleDetails:
    """A report to schedule, with its filters, frequency, first day, audience and recipients."""

    report: str
    query_string: str
    name: str
    every: str
    first_on: dt.date
    people: Collection[User]
    audience: Organisation | Partnership


@transaction.atomic
def schedule_report(*, details: ScheduleDetails, author: User, now: dt.datetime) -> Schedule:
    """Schedule a report for people of an organisation or partnership. Raises `UnableToSchedule`."""
    audience = details.audience
    # The lock prevents changes of the partnership's parties until the schedule is saved, so that all recipients belong
    # to the partnership.
    lock_audience(audience)
    require(may_report_for(author, audience, now))
    _check(details, timezone.localdate(now))
    audience_fields = {
        "organisation": audience if isinstance(audience, Organisation) else None,
        "partnership": audience if isinstance(audience, Partnership) else None,
    }
    if Schedule.objects.filter(**audience_fields, ended_at=None).count() >= MAX_SCHEDULES:
        raise UnableToSchedule(f"{audience} already has {MAX_SCHEDULES} scheduled reports. End one first.")

    schedule = Schedule.objects.create(
        report=details.report,
        name=details.name.strip()[:150],
        question=details.query_string,
        every=details.every,
        next_on=details.first_on,
        first_on=details.first_on,
        created_by=author,
        created_at=now,
        **audience_fields,
    )
    recipient_ids = sorted({person.pk for person in details.people})
    Recipient.objects.bulk_create(
        [Recipient(schedule=schedule, person_id=person_id, since=now) for person_id in recipient_ids]
    )
    record_event(schedule, EventKind.SCHEDULED, author=author, now=now)
    return schedule


def _check(details: ScheduleDetails, today: dt.date) -> None:
    """Check all details of a new schedule. Raises `UnableToSchedule`."""
    definition = find_report(details.report)
    if definition is None:
        raise UnableToSchedule("This report does not exist. Choose a report from the list of reports.")
    if not has_valid_filters_for(definition, details.audience, details.query_string):
        raise UnableToSchedule(
            "Not everyone who gets the report can use these filters. Remove each filter that names something they "
            "cannot see."
        )
    if not details.name.strip():
        raise UnableToSchedule("Enter a name.")
    if details.every not in Frequency.values:
        raise UnableToSchedule("Choose how often we should send the report.")
    if details.first_on < today:
        raise UnableToSchedule("The first day is in the past. Choose today or a later day.")
    recipient_ids = {person.pk for person in details.people}
    recipients_in_audience = people_of_audience(details.audience).filter(pk__in=recipient_ids)
    if not recipient_ids or recipients_in_audience.count() != len(recipient_ids):
        raise UnableToSchedule(f"Choose who gets the report: one or more people of {details.audience}.")


@transaction.atomic
def end_schedule(*, schedule: Schedule, author: User | None, now: dt.datetime) -> Schedule:
    """End a schedule. The reports that it has frozen remain. The author is None after a restore."""
    schedule = _lock(schedule.pk)
    lock_audience(schedule.audience)
    require(author is None or may_report_for(author, schedule.audience, now))
    if schedule.ended_at is None:
        _end(schedule, author, now)
    return schedule


def _end(schedule: Schedule, author: User | None, now: dt.datetime) -> None:
    """Set the schedule as ended, and record that in the journal and as an event."""
    schedule.ended_at = now
    schedule.save(update_fields=["ended_at"])
    journal_schedule(schedule, now=now)
    record_event(schedule, EventKind.SCHEDULE_ENDED, author=author, now=now)


@transaction.atomic
def receive_schedule(*, schedule: Schedule, person: User, now: dt.datetime) -> None:
    """Add the person to the recipients of a schedule. Raises `UnableToAct` if they are not in its audience."""
    require(people_of_audience(schedule.audience).filter(pk=person.pk).exists())
    recipient, is_new = Recipient.objects.get_or_create(schedule=schedule, person=person, defaults={"since": now})
    if is_new:
        journal_recipient(recipient, now=now, undone=True)


@transaction.atomic
def stop_receiving(*, schedule: Schedule, person: User, now: dt.datetime) -> None:
    """Remove the person from the recipients of a schedule."""
    recipient = Recipient.objects.filter(schedule=schedule, person=person).first()
    if recipient is not None:
        recipient.delete()
        journal_recipient(recipient, now=now)


class ScheduledReportStop(SingleStop):
    """The link in an email with a scheduled report by which its recipient stops it."""

    def called(self, *, person: User, params: Mapping[str, Any]) -> str:
        """Return the report's name for the page of the link, or "" if the person does not get the report."""
        recipient = Recipient.objects.filter(schedule=params["schedule"], person=person).first()
        if recipient is None:
            return ""
        schedule = Schedule.objects.visible_to(person).filter(pk=params["schedule"]).first()
        return f"the report “{schedule.name}”" if schedule else "a report that you can no longer read"

    def stop(self, *, person: User, params: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
        """Stop sending the report to the person."""
        stop_receiving(schedule=Schedule.objects.get(pk=params["schedule"]), person=person, now=now)
        return {"schedule": params["schedule"]}

    def renew(self, *, person: User, kept: Mapping[str, Any], now: dt.datetime) -> None:
        """Send the report to the person again, if they still belong to its audience."""
        schedule = Schedule.objects.visible_to(person).filter(pk=kept["schedule"], ended_at=None).first()
        if schedule is not None and people_of_audience(schedule.audience).filter(pk=person.pk).exists():
            receive_schedule(schedule=schedule, person=person, now=now)


def send_due_reports(*, now: dt.datetime, stop_on: tuple[type[Exception], ...] = ()) -> int:
    """Freeze the reports that are due, record their emails, and return the number of frozen reports.

    This is safe to repeat, because each schedule is locked and moved to its next day in one transaction. If a report
    fails, later runs retry it after the other reports. After `MAX_TRIES` attempts, we email its author and the
    operators, and the report is postponed to its next day.

    `stop_on` are errors that end the run, such as a time limit. They are recorded as a failure of the report that was
    being computed.
    """
    today = timezone.localdate(now)
    due_schedules = Schedule.objects.filter(ended_at=None, next_on__lte=today).order_by("failures", "next_on", "pk")
    frozen_count = 0
    for schedule_id in due_schedules.values_list("pk", flat=True):
        try:
            frozen_count += _send(schedule_id, now)
        except stop_on:
            _count_failure(schedule_id, now)
            raise
        except Exception as error:
            log.exception("scheduled_report_failed", schedule=schedule_id)
            if not _is_outage(error):
                _count_failure(schedule_id, now)
    return frozen_count


def _is_outage(error: Exception) -> bool:
    """Return whether the database was down or a lock was not free in time, so that the report is not the cause."""
    return isinstance(error, OperationalError | InterfaceError) and not was_cancelled(error)


@transaction.atomic
def _send(schedule_id: int, now: dt.datetime) -> bool:
    """Freeze the report of a schedule, record its emails, and return whether the report was frozen."""
    today = timezone.localdate(now)
    schedule = _lock(schedule_id)
    if schedule.ended_at is not None or schedule.next_on > today:
        return False

    recipient_ids = _present_recipient_ids(schedule)
    # People who have left do not get the report again if they come back.
    schedule.recipients.exclude(person__in=recipient_ids).delete()
    due_day = schedule.next_on
    _move_to_next_day(schedule, today)
    if not recipient_ids:
        _end(schedule, None, now)
        return False

    try:
        frozen_report = _freeze(schedule, now)
    except UnableToFreeze as error:
        log.warning("scheduled_report_not_made", schedule=schedule_id, why=str(error))
        _email_not_made(schedule, recipient_ids, now, due_day=due_day, why="filters")
        return False
    params = {"frozen": frozen_report.pk, "schedule": schedule_id, "slot": _email_identity(schedule, due_day)}
    record_emails(kind="reports.scheduled", people=recipient_ids, params=params, now=now)
    return True


def _freeze(schedule: Schedule, now: dt.datetime) -> FrozenReport:
    """Freeze the report of a schedule, without an author. Raises `UnableToFreeze`."""
    return freeze_report(
        report=schedule.report,
        query_string=schedule.question,
        name=f"{schedule.name}, {long_date(timezone.localdate(now))}",
        reason=f"Sent {schedule.get_every_display().lower()}.",
        audience=schedule.audience,
        author=None,
        now=now,
    )


def _email_identity(schedule: Schedule, due_day: dt.date) -> dict[str, Any]:
    """Return the values that identify an email after a restore.

    The report is then frozen again and gets another id, but the email must not be sent twice.
    """
    return {"schedule": schedule.pk, "day": due_day.isoformat()}


def _present_recipient_ids(schedule: Schedule) -> list[int]:
    """Return the ids of the recipients who still belong to the audience."""
    people = people_of_audience(schedule.audience).filter(pk__in=schedule.recipients.values("person"))
    return list(people.values_list("pk", flat=True))


def _move_to_next_day(schedule: Schedule, today: dt.date) -> None:
    """Set the first day after today on which the report is due. Missed days are skipped."""
    frequency = Frequency(schedule.every)
    while schedule.next_on <= today:
        schedule.next_on = frequency.next_day(schedule.next_on, day_of_month=schedule.first_on.day)
    schedule.failures = 0
    schedule.save(update_fields=["next_on", "failures"])


def _count_failure(schedule_id: int, now: dt.datetime) -> None:
    """Record a failure of the report. After the last attempt, postpone the schedule to its next day and send emails."""
    today = timezone.localdate(now)
    with transaction.atomic():
        schedule = _lock(schedule_id)
        if schedule.ended_at is not None or schedule.next_on > today:
            return
        schedule.failures += 1
        if schedule.failures < MAX_TRIES:
            schedule.save(update_fields=["failures"])
            return
        due_day = schedule.next_on
        _move_to_next_day(schedule, today)
        _email_not_made(schedule, _present_recipient_ids(schedule), now, due_day=due_day, why="failed")
    alert_operators(
        f"Scheduled report {schedule_id} cannot be made",
        f"It failed {MAX_TRIES} times. We will try again on {long_date(schedule.next_on)}. The log says why: "
        f"scheduled_report_failed, schedule {schedule_id}, report {schedule.report}.",
    )


def _email_not_made(
    schedule: Schedule, recipient_ids: Collection[int], now: dt.datetime, *, due_day: dt.date, why: str
) -> None:
    """Email the schedule's author, or its recipients if the author may no longer end it, that the report failed."""
    author = schedule.created_by
    if author is not None and may_report_for(author, schedule.audience, now):
        recipient_ids = [author.pk]
    params = {"schedule": schedule.pk, "why": why, "slot": _email_identity(schedule, due_day)}
    record_emails(kind="reports.not_made", people=recipient_ids, params=params, now=now)


def _lock(schedule_id: int) -> Schedule:
    """Lock and return a schedule, with its audience and its author."""
    schedules = Schedule.objects.select_for_update(of=("self",))
    return schedules.select_related("organisation", "partnership", "created_by").get(pk=schedule_id)
