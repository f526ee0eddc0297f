"""The bank holidays of England and Wales, from the list that comes with govuk-bank-holidays: no request leaves for
it, and none of what makes requests is read."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from importlib import resources


@cache
def holidays() -> frozenset[dt.date]:
    """Every bank holiday that the package knows."""
    known = json.loads((resources.files("govuk_bank_holidays") / "bank-holidays.json").read_text(encoding="utf-8"))
    return frozenset(dt.date.fromisoformat(one["date"]) for one in known["england-and-wales"]["events"])
