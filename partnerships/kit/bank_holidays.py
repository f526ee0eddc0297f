"""Bank holidays of each nation, from govuk-bank-holidays.

Only the file is read: the package itself would make requests.
"""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from functools import cache
from importlib import resources


class Nation(StrEnum):
    """A part of the United Kingdom with bank holidays of its own, as the file names it."""

    ENGLAND_AND_WALES = "england-and-wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"


#: Each nation with the words for its part of the country.
NATIONS = {
    Nation.ENGLAND_AND_WALES.value: "England and Wales",
    Nation.SCOTLAND.value: "Scotland",
    Nation.NORTHERN_IRELAND.value: "Northern Ireland",
}


@cache
def holidays(nation: str = Nation.ENGLAND_AND_WALES) -> frozenset[dt.date]:
    """Every bank holiday of the nation in the package's file; none for ""."""
    if not nation:
        return frozenset()
    known = json.loads((resources.files("govuk_bank_holidays") / "bank-holidays.json").read_text(encoding="utf-8"))
    return frozenset(dt.date.fromisoformat(event["date"]) for event in known[nation]["events"])
