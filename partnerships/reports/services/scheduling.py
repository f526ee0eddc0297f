"""Sending a report on a rhythm.

Each time it is frozen, and its recipients get an email with these figures.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Mapping
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
from partnerships.reports.models import Every, Recipient, Schedule
from partnerships.reports.queries import fits, people_of
from partnerships.reports.registry import find_report
from partnerships.reports.rights import may_report_for
from partnerships.reports.services.freezing import UnableToFreeze, freeze_report
from partnerships.reports.services.recording import journal_recipient, journal_schedule, lock_body, record_event

log = structlog.get_logger(__name__)

#: An organisation or partnership has at most this many running schedules.
MAX_SCHEDULES = 20
#: A report that cannot be computed is tried this many times, then on its next day.
MAX_TRIES = 3
#: Months between two reports.
_MONTHS = {Every.MONTH: 1, Every.QUARTER: 3}
_WEEK = dt.timedelta(days=7)


class UnableToSchedule(Exception):
    """The report, its filters, name, first day or recipients are not valid."""


@transaction.atomic
def schedule_report(
    *,
    report: str,
    question: str,
    name: str,
    every: str,
    first_on: dt.date,
    people: Collection[User],
    body: Organisation | Partnership,
    author: User,
    now: dt.datetime,
) -> Schedule:
    """Send a report to these people of the organisation or partnership, from a day on. Raises `UnableToSchedule`."""
    lock_body(body)
    require(may_report_for(author, body, now))
    definition = find_report(report)
    if definition is None:
        raise UnableToSchedule("There is no such report.")
    if not fits(definition, body, question):
        raise UnableToSchedule(
            "Not everybody who gets the report can use these filters. Remove any that name a record they cannot see."
        )
    if not name.strip():
        raise UnableToSchedule("Enter a name.")
    if every not in Every.values:
        raise UnableToSchedule("Choose how often it is sent.")
    if first_on < timezone.localdate(now):
        raise UnableToSchedule("The first day is in the past. Choose today or a later day.")
    chosen = {person.pk for person in people}
    if not chosen or people_of(body).filter(pk__in=chosen).count() != len(chosen):
        raise UnableToSchedule(f"Choose who gets it: people of {body}.")
    placed = {
        "organisation": body if isinstance(body, Organisation) else None,
        "partnership": body if isinstance(body, Partnership) else None,
    }
    if Schedule.objects.filter(**placed, ended_at=None).count() >= MAX_SCHEDULES:
        raise UnableToSchedule(f"There are already {MAX_SCHEDULES} scheduled reports. End one first.")
    schedule = Schedule.objects.create(
        report=report,
        name=name.strip()[:150],
        question=question,
        every=every,
        next_on=first_on,
        first_on=first_on,
        created_by=author,
        created_at=now,
        **placed,
    )
    Recipient.objects.bulk_create([Recipient(schedule=schedule, person_id=pk, since=now) for pk in sorted(chosen)])
    record_event(schedule, EventKind.SCHEDULED, author=author, now=now)
    return schedule


@transaction.atomic
def end_schedule(*, schedule: Schedule, author: User | None, now: dt.datetime) -> Schedule:
    """Send it no more. What was frozen is kept.

    Without an author, after a restore.
    """
    schedule = _locked(schedule)
    lock_body(schedule.body)
    require(author is None or may_report_for(author, schedule.body, now))
    if schedule.ended_at is None:
        _end(schedule, author, now)
    return schedule


def _end(schedule: Schedule, author: User | None, now: dt.datetime) -> None:
    schedule.ended_at = now
    schedule.save(update_fields=["ended_at"])
    journal_schedule(schedule, now=now)
    record_event(schedule, EventKind.SCHEDULE_ENDED, author=author, now=now)


@transaction.atomic
def receive_schedule(*, schedule: Schedule, person: User, now: dt.datetime) -> None:
    """Send it to the person too, from the next time on."""
    require(people_of(schedule.body).filter(pk=person.pk).exists())
    recipient, is_new = Recipient.objects.get_or_create(schedule=schedule, person=person, defaults={"since": now})
    if is_new:
        journal_recipient(recipient, now=now, undone=True)


@transaction.atomic
def stop_receiving(*, schedule: Schedule, person: User, now: dt.datetime) -> None:
    """Send it to the person no more."""
    recipient = Recipient.objects.filter(schedule=schedule, person=person).first()
    if recipient is not None:
        recipient.delete()
        journal_recipient(recipient, now=now)


class ScheduledReportStop(SingleStop):
    """The stop link of an email with a scheduled report."""

    def called(self, *, person: User, params: Mapping[str, Any]) -> str:
        """The report."""
        recipient = Recipient.objects.filter(schedule=params["schedule"], person=person).first()
        if recipient is None:
            return ""
        schedule = Schedule.objects.visible_to(person).filter(pk=params["schedule"]).first()
        return f"the report “{schedule.name}”" if schedule else "a report that you can no longer read"

    def stop(self, *, person: User, params: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
        """Get it no more."""
        stop_receiving(schedule=Schedule.objects.get(pk=params["schedule"]), person=person, now=now)
        return {"schedule": params["schedule"]}

    def renew(self, *, person: User, kept: Mapping[str, Any], now: dt.datetime) -> None:
        """Get it again, from the next time on."""
        schedule = Schedule.objects.visible_to(person).filter(pk=kept["schedule"], ended_at=None).first()
        if schedule is not None and people_of(schedule.body).filter(pk=person.pk).exists():
            receive_schedule(schedule=schedule, person=person, now=now)


def send_due_reports(*, now: dt.datetime, stop_on: tuple[type[Exception], ...] = ()) -> int:
    """Freeze the reports that are due and record their emails.

    Returns how many were frozen.

    May run twice: each is done under its lock, with its next day. One whose filters are no longer valid is not made;
    who set it up is told, else its recipients. One that fails is tried again in the next runs, after the others and
    `MAX_TRIES` times in all; then they and the operators are told, and it waits for its next day. Errors of `stop_on`
    end the run; the one that was being made has failed.
    """
    today, sent = timezone.localdate(now), 0
    due = Schedule.objects.filter(ended_at=None, next_on__lte=today).order_by("failures", "next_on", "pk")
    for pk in due.values_list("pk", flat=True):
        try:
            sent += _send(pk, now)
        except stop_on:
            _count_failure(pk, now)
            raise
        except Exception as failure:
            log.exception("scheduled_report_failed", schedule=pk)
            if not _is_outage(failure):
                _count_failure(pk, now)
    return sent


def _is_outage(failure: Exception) -> bool:
    """Whether the database is away or kept us waiting for a lock, so that the report is not at fault."""
    return isinstance(failure, OperationalError | InterfaceError) and not was_cancelled(failure)


@transaction.atomic
def _send(pk: int, now: dt.datetime) -> bool:
    """Freeze the report and email it.

    False if it is not due or cannot be made.
    """
    schedule, today = _locked(Schedule(pk=pk)), timezone.localdate(now)
    if schedule.ended_at is not None or schedule.next_on > today:
        return False
    numbers, day = _recipients(schedule), schedule.next_on
    schedule.recipients.exclude(person__in=numbers).delete()  # who left gets it no more, should they come back
    _wait_for_next(schedule, today)
    if not numbers:  # nobody is left to send it to
        _end(schedule, None, now)
        return False
    try:
        frozen = freeze_report(
            report=schedule.report,
            question=schedule.question,
            name=f"{schedule.name}, {long_date(today)}",
            reason=f"Sent {schedule.get_every_display().lower()}.",
            body=schedule.body,
            author=None,
            now=now,
        )
    except UnableToFreeze as error:
        log.warning("scheduled_report_not_made", schedule=pk, why=str(error))
        _tell_not_made(schedule, numbers, now, day=day, why="filters")
        return False
    params = {"frozen": frozen.pk, "schedule": pk, "slot": _slot(schedule, day)}
    record_emails(kind="reports.scheduled", people=numbers, params=params, now=now)
    return True


def _slot(schedule: Schedule, day: dt.date) -> dict[str, Any]:
    """By what an email is recognised after a restore: its report is frozen again then, under another number."""
    return {"schedule": schedule.pk, "day": day.isoformat()}


def _recipients(schedule: Schedule) -> list[int]:
    """The people (ids) who get it and still belong to its audience."""
    people = people_of(schedule.body).filter(pk__in=schedule.recipients.values("person"))
    return list(people.values_list("pk", flat=True))


def _wait_for_next(schedule: Schedule, today: dt.date) -> None:
    schedule.next_on, schedule.failures = _next_day(schedule, today), 0
    schedule.save(update_fields=["next_on", "failures"])


def _count_failure(pk: int, now: dt.datetime) -> None:
    """Count that it could not be computed, and let it wait for its next day after the last try."""
    with transaction.atomic():
        schedule, today = _locked(Schedule(pk=pk)), timezone.localdate(now)
        if schedule.ended_at is not None or schedule.next_on > today:
            return
        schedule.failures += 1
        if schedule.failures < MAX_TRIES:
            schedule.save(update_fields=["failures"])
            return
        day = schedule.next_on
        _wait_for_next(schedule, today)
        _tell_not_made(schedule, _recipients(schedule), now, day=day, why="failed")
    alert_operators(
        f"Scheduled report {pk} cannot be made",
        f"It failed {MAX_TRIES} times and waits for its next day, {long_date(schedule.next_on)}. The log says why: "
        f"scheduled_report_failed, schedule {pk}, report {schedule.report}.",
    )


def _tell_not_made(
    schedule: Schedule, recipients: Collection[int], now: dt.datetime, *, day: dt.date, why: str
) -> None:
    """Tell who set it up that it was not made, or its recipients if they can no longer end it."""
    author = schedule.created_by
    told = [author.pk] if author is not None and may_report_for(author, schedule.body, now) else recipients
    params = {"schedule": schedule.pk, "why": why, "slot": _slot(schedule, day)}
    record_emails(kind="reports.not_made", people=told, params=params, now=now)


def _next_day(schedule: Schedule, today: dt.date) -> dt.date:
    """The first day after today on which it is due: days that were missed are sent once."""
    day = schedule.next_on
    while day <= today:
        day = day + _WEEK if schedule.every == Every.WEEK else _months_later(day, schedule)
    return day


def _months_later(day: dt.date, schedule: Schedule) -> dt.date:
    """The same day of a later month, or that month's last day where it is shorter."""
    months = day.year * 12 + day.month - 1 + _MONTHS[Every(schedule.every)]
    year, month = divmod(months, 12)
    return dt.date(year, month + 1, min(schedule.first_on.day, calendar.monthrange(year, month + 1)[1]))


def _locked(schedule: Schedule) -> Schedule:
    rows = Schedule.objects.select_for_update(of=("self",)).select_related("organisation", "partnership", "created_by")
    return rows.get(pk=schedule.pk)
