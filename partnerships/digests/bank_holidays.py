"""The bank holidays of England and Wales, from the list that comes with govuk-bank-holidays: no request leaves for
it."""

from __future__ import annotations

import datetime as dt
from functools import cache

from govuk_bank_holidays.bank_holidays import BankHolidays


@cache
def holidays() -> frozenset[dt.date]:
    """Every bank holiday that the package knows."""
    known = BankHolidays(use_cached_holidays=True)
    return frozenset(holiday["date"] for holiday in known.get_holidays(division=BankHolidays.ENGLAND_AND_WALES))
