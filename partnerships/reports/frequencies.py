"""How often scheduled reports are sent, and the day on which each is due next."""

from __future__ import annotations

import calendar
import datetime as dt

from django.db import models

_WEEK = dt.timedelta(days=7)


class Frequency(models.TextChoices):
    """How often a report is sent. A new frequency also needs its interval in `next_day`, and a migration."""

    WEEK = "week", "Every week"
    MONTH = "month", "Every month"
    QUARTER = "quarter", "Every three months"

    def next_day(self, day: dt.date, *, day_of_month: int) -> dt.date:
        """Return the next day on which a report is due after it was due on `day`.

        `day_of_month` is the day on which the report was first sent. For example, a monthly report first sent on
        31 January is sent on 28 February and then on 31 March.
        """
        if self is Frequency.WEEK:
            return day + _WEEK
        months = 1 if self is Frequency.MONTH else 3
        return _months_later(day, months, day_of_month)


def _months_later(day: dt.date, months: int, day_of_month: int) -> dt.date:
    """Return this day of the month, this many months later, or the last day of that month if it is shorter."""
    year, month_index = divmod(day.year * 12 + day.month - 1 + months, 12)
    _, days_in_month = calendar.monthrange(year, month_index + 1)
    return dt.date(year, month_index + 1, min(day_of_month, days_in_month))
