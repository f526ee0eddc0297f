"""The status of a partnership on a day, from its stored status and dates.

A job records each step (`services.dates`), but nobody has to wait for it: pages, rights and lists read the status
through this module.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Q

from partnerships.agreements.models.choices import OVER, Status
from partnerships.kit.dates import long_date

#: Statuses that the end date ends. Earlier ones have nothing in force that could end.
ENDING = (Status.AGREED, Status.ACTIVE, Status.UNDER_REVIEW, Status.SUSPENDED)


class Dated(Protocol):
    """What the status on a day depends on."""

    status: str
    starts_on: dt.date | None
    review_on: dt.date | None
    ends_on: dt.date | None
    goes_on: bool
    notice_ends_on: dt.date | None


def status_on(day: dt.date, dated: Dated) -> Status:
    """The status on a day. The end date is the last day in force."""
    status = Status(dated.status)
    ended = last_day(dated)
    if status in ENDING and ended is not None and ended < day:
        return Status.ENDED
    if status == Status.AGREED and (dated.starts_on is None or dated.starts_on <= day):
        status = Status.ACTIVE
    if status == Status.ACTIVE and dated.review_on is not None and dated.review_on <= day:
        return Status.UNDER_REVIEW
    return status


def has_run_out(day: dt.date) -> Q:
    """Condition: the end date ended it before this day.

    The job may not have recorded it yet.
    """
    return Q(status__in=ENDING) & (Q(goes_on=False, ends_on__lt=day) | Q(notice_ends_on__lt=day))


def is_over_on(day: dt.date) -> Q:
    """Condition: renewed or ended on this day."""
    return Q(status__in=OVER) | has_run_out(day)


def has_status_on(status: str, day: dt.date) -> Q:
    """Condition: `status_on` gives this status."""
    under_way = ~has_run_out(day)
    started = Q(status=Status.ACTIVE) | (Q(status=Status.AGREED) & (Q(starts_on=None) | Q(starts_on__lte=day)))
    if status == Status.ENDED:
        return Q(status=Status.ENDED) | has_run_out(day)
    if status == Status.AGREED:
        return Q(status=Status.AGREED, starts_on__gt=day) & under_way
    if status == Status.ACTIVE:
        return started & ~Q(review_on__lte=day) & under_way
    if status == Status.UNDER_REVIEW:
        return (Q(status=Status.UNDER_REVIEW) | (started & Q(review_on__lte=day))) & under_way
    return Q(status=status) & under_way


@dataclass(frozen=True, slots=True)
class Gap:
    """Days between an agreement's end and its successor's start.

    `last` is empty while the successor has no start date.
    """

    first: dt.date
    last: dt.date | None

    @property
    def days(self) -> int | None:
        """How many days; None while it has no end."""
        return (self.last - self.first).days + 1 if self.last else None

    @property
    def words(self) -> str:
        """Such as "12 days without cover: 1 to 12 April 2027"."""
        if self.last is None:
            return f"Without cover since {long_date(self.first)}"
        if self.last == self.first:
            return f"1 day without cover: {long_date(self.first)}"
        first = long_date(self.first)
        if (self.first.year, self.first.month) == (self.last.year, self.last.month):
            first = str(self.first.day)
        elif self.first.year == self.last.year:
            first = first.removesuffix(f" {self.first.year}")
        return f"{self.days} days without cover: {first} to {long_date(self.last)}"


def last_day(dated: Dated) -> dt.date | None:
    """The last day in force by its dates and notices; None: it goes on."""
    if dated.status in OVER:
        return dated.ends_on
    days = [day for day in (None if dated.goes_on else dated.ends_on, dated.notice_ends_on) if day is not None]
    return min(days, default=None)


def gap_between(earlier: Dated, later: Dated, today: dt.date) -> Gap | None:
    """The days without cover between two agreements, or None.

    A later one without a start date leaves an open gap once the earlier one has ended.
    """
    ended = last_day(earlier)
    if ended is None:
        return None
    first = ended + dt.timedelta(days=1)
    if later.starts_on is None:
        return Gap(first, None) if first <= today else None
    return Gap(first, later.starts_on - dt.timedelta(days=1)) if later.starts_on > first else None
