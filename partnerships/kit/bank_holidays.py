"""Bank holidays of England and Wales, from govuk-bank-holidays.

Only the file is read: the package itself would make requests.
"""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from importlib import resources


@cache
def holidays() -> frozenset[dt.date]:
    """Every bank holiday in the package's file."""
    known = json.loads((resources.files("govuk_bank_holidays") / "bank-holidays.json").read_text(encoding="utf-8"))
    return frozenset(dt.date.fromisoformat(one["date"]) for one in known["england-and-wales"]["events"])
