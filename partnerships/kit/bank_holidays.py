"""Bank holidays of each nation, from the data file of the package govuk-bank-holidays.

The package itself is not called, because it would fetch newer dates from the internet.
"""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from functools import cache
from importlib import resources


class Nation(StrEnum):
    """A part of the United Kingdom with separate bank holidays. The value is its name in the data file."""

    ENGLAND_AND_WALES = "england-and-wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"


#: Labels of the nations, by code.
NATIONS = {
    Nation.ENGLAND_AND_WALES.value: "England and Wales",
    Nation.SCOTLAND.value: "Scotland",
    Nation.NORTHERN_IRELAND.value: "Northern Ireland",
}


@cache
def holidays(nation: str = Nation.ENGLAND_AND_WALES) -> frozenset[dt.date]:
    """Return every bank holiday of the nation in the data file. If the nation is "", there are none."""
    if not nation:
        return frozenset()
    data_file = resources.files("govuk_bank_holidays") / "bank-holidays.json"
    divisions = json.loads(data_file.read_text(encoding="utf-8"))
    return frozenset(dt.date.fromisoformat(event["date"]) for event in divisions[nation]["events"])
