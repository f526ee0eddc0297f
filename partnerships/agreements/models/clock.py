"""Work out the status of a partnership on a day from its stored status and dates.

A job (`services.dates`) stores each change of status some time after it happens. Pages, rights and lists read the
status through this module, so they are right before the job has run.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Q

from partnerships.agreements.models.choices import FINAL_STATUSES, Status
from partnerships.kit.dates import long_date

#: In these statuses, a partnership ends on its end date. In earlier ones, there are no agreed terms that could end.
ENDABLE_STATUSES = (Status.AGREED, Status.ACTIVE, Status.UNDER_REVIEW, Status.SUSPENDED)


class DatedPartnership(Protocol):
    """A partnership, or another object with the same stored status and dates."""

    status: str
    starts_on: dt.date | None
    review_on: dt.date | None
    ends_on: dt.date | None
    goes_on: bool
    notice_ends_on: dt.date | None


def status_on(day: dt.date, dated: DatedPartnership) -> Status:
    """Return the status on a day. The end date is the last day in force.

    For example, an active partnership with a review on 1 May is still active on 30 April, and under review on 1 May.
    """
    status = Status(dated.status)
    final_day = last_day(dated)
    if status in ENDABLE_STATUSES and final_day is not None and final_day < day:
        return Status.ENDED
    if status == Status.AGREED and (dated.starts_on is None or dated.starts_on <= day):
        status = Status.ACTIVE
    if status == Status.ACTIVE and dated.review_on is not None and dated.review_on <= day:
        return Status.UNDER_REVIEW
    return status


def has_run_out(day: dt.date) -> Q:
    """Return a condition for partnerships whose last day was before this day.

    Their stored status may not be "ended" yet.
    """
    return Q(status__in=ENDABLE_STATUSES) & (Q(goes_on=False, ends_on__lt=day) | Q(notice_ends_on__lt=day))


def is_over_on(day: dt.date) -> Q:
    """Return a condition for partnerships that are renewed or ended on this day."""
    return Q(status__in=FINAL_STATUSES) | has_run_out(day)


def has_status_on(status: str, day: dt.date) -> Q:
    """Return a condition for partnerships to which `status_on` gives this status."""
    not_run_out = ~has_run_out(day)
    has_started = Q(status=Status.ACTIVE) | (Q(status=Status.AGREED) & (Q(starts_on=None) | Q(starts_on__lte=day)))
    if status == Status.ENDED:
        return Q(status=Status.ENDED) | has_run_out(day)
    if status == Status.AGREED:
        return Q(status=Status.AGREED, starts_on__gt=day) & not_run_out
    if status == Status.ACTIVE:
        return has_started & ~Q(review_on__lte=day) & not_run_out
    if status == Status.UNDER_REVIEW:
        return (Q(status=Status.UNDER_REVIEW) | (has_started & Q(review_on__lte=day))) & not_run_out
    return Q(status=status) & not_run_out


@dataclass(frozen=True, slots=True)
class Gap:
    """Days without cover, between an agreement's end and its successor's start.

    `last_day` is None while the successor has no start date.
    """

    first_day: dt.date
    last_day: dt.date | None

    @property
    def days(self) -> int | None:
        """Return the number of days, or None while the gap has no end."""
        return (self.last_day - self.first_day).days + 1 if self.last_day else None

    @property
    def description(self) -> str:
        """Return the gap in words, such as "12 days without cover: 1 to 12 April 2027"."""
        first_day, last_day = self.first_day, self.last_day
        if last_day is None:
            return f"Without cover since {long_date(first_day)}"
        if last_day == first_day:
            return f"1 day without cover: {long_date(first_day)}"

        start = long_date(first_day)
        if (first_day.year, first_day.month) == (last_day.year, last_day.month):
            start = str(first_day.day)
        elif first_day.year == last_day.year:
            start = start.removesuffix(f" {first_day.year}")
        return f"{self.days} days without cover: {start} to {long_date(last_day)}"


def last_day(dated: DatedPartnership) -> dt.date | None:
    """Return the last day in force according to end date and notices, or None if no end is set."""
    if dated.status in FINAL_STATUSES:
        return dated.ends_on
    end_date = None if dated.goes_on else dated.ends_on
    days = [day for day in (end_date, dated.notice_ends_on) if day is not None]
    return min(days, default=None)


def gap_between(earlier: DatedPartnership, later: DatedPartnership, today: dt.date) -> Gap | None:
    """Return the days without cover between two agreements, or None if every day is covered.

    If the later agreement has no start date, the gap has no end. Such a gap is reported only once the earlier agreement
    has ended.
    """
    final_day = last_day(earlier)
    if final_day is None:
        return None
    one_day = dt.timedelta(days=1)
    first_day = final_day + one_day
    if later.starts_on is None:
        return Gap(first_day, None) if first_day <= today else None
    if later.starts_on <= first_day:
        return None
    return Gap(first_day, later.starts_on - one_day)
