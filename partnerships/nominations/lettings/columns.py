"""Columns and codes of the CORE lettings export by collection year, from a dated data file."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FILE = Path(__file__).with_name("core_columns.toml")


@dataclass(frozen=True, slots=True)
class CollectionYear:
    """The columns that a return needs from the export of a collection year."""

    #: The year begins on 1 April of this calendar year.
    start: int
    is_verified: bool
    #: Groups of columns. The export must have one column of each group.
    required: tuple[tuple[str, ...], ...]
    #: The codes, by column, of a letting to a nominee.
    nominated: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.start}/{(self.start + 1) % 100:02}"

    def missing(self, columns: Iterable[str]) -> list[str]:
        """Return the required headings that a file with these columns lacks."""
        existing_columns = set(columns)
        return [" or ".join(group) for group in self.required if not existing_columns.intersection(group)]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a return needs from an export, as the data file describes them."""

    source: str
    read_on: dt.date
    codes: tuple[str, ...]
    #: The code of a column by its heading, which is either its code or its label. The headings are normalised.
    headings: Mapping[str, str]
    #: For each column, the codes of its values by label.
    values: Mapping[str, Mapping[str, str]]
    years: Mapping[int, CollectionYear]

    def year_of(self, day: dt.date) -> CollectionYear | None:
        """Return the collection year of a day, or None for a year before the first in the data file.

        Later years are read like the last year in the data file, and marked as not checked.
        """
        start = day.year if day.month >= 4 else day.year - 1
        if start in self.years or start < min(self.years):
            return self.years.get(start)
        newest_year = self.years[max(self.years)]
        return replace(newest_year, start=start, is_verified=False)


def normalise_text(text: str) -> str:
    """Return a heading or label in lower case with single spaces, so that two can be compared."""
    return " ".join(text.replace("’", "'").split()).casefold()


@cache
def core_columns() -> Columns:
    """Return the content of the data file."""
    facts = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    headings: dict[str, str] = {}
    for code, label in facts["columns"].items():
        headings[normalise_text(code)] = code
        headings[normalise_text(label)] = code
    values = {column: MappingProxyType(_codes_by_label(labels)) for column, labels in facts["values"].items()}
    years = {int(start): _collection_year(int(start), year) for start, year in facts["years"].items()}
    return Columns(
        source=facts["source"],
        read_on=facts["read_on"],
        codes=tuple(facts["columns"]),
        headings=MappingProxyType(headings),
        values=MappingProxyType(values),
        years=MappingProxyType(years),
    )


def _codes_by_label(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the codes of the values of a column, by label."""
    return {normalise_text(label): code for code, label in labels.items()}


def _collection_year(start: int, year: Mapping[str, Any]) -> CollectionYear:
    """Return a collection year from its part of the data file."""
    return CollectionYear(
        start=start,
        is_verified=year["is_verified"],
        required=tuple(tuple(group) for group in year["wanted"]),
        nominated=MappingProxyType(year["nominated"]),
    )
