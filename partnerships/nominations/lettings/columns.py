"""Columns and codes of the CORE lettings export by collection year, from a dated data file."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FILE = Path(__file__).with_name("core_columns.toml")


@dataclass(frozen=True, slots=True)
class CollectionYear:
    """What a return needs from the export of one year, which begins on 1 April of `start`.

    `wanted`: of each group, one column must be there. `nominated`: the codes that a nominee's letting has.
    """

    start: int
    is_verified: bool
    wanted: tuple[tuple[str, ...], ...]
    nominated: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.start}/{(self.start + 1) % 100:02}"

    def missing(self, columns: Iterable[str]) -> list[str]:
        """The headings that a file with these columns lacks."""
        have = set(columns)
        return [" or ".join(group) for group in self.wanted if not have.intersection(group)]


@dataclass(frozen=True, slots=True)
class Columns:
    """The kept columns: `headings` to code, `values` from label to code by column, and the years."""

    source: str
    read_on: dt.date
    codes: tuple[str, ...]
    headings: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    years: Mapping[int, CollectionYear]

    def year_of(self, day: dt.date) -> CollectionYear | None:
        """The collection year of a day.

        None for a year that we know nothing about. Later years are read like the last one we know, as unverified.
        """
        start = day.year if day.month >= 4 else day.year - 1
        if start in self.years or start < min(self.years):
            return self.years.get(start)
        last = self.years[max(self.years)]
        return CollectionYear(start, False, last.wanted, last.nominated)


def plain(text: str) -> str:
    """A heading or label without case and repeated blanks, for comparing."""
    return " ".join(text.replace("’", "'").split()).casefold()


@cache
def core_columns() -> Columns:
    """The facts of the data file."""
    facts = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    headings: dict[str, str] = {}
    for code, label in facts["columns"].items():
        headings |= {plain(code): code, plain(label): code}
    values = {column: MappingProxyType(_by_label(labels)) for column, labels in facts["values"].items()}
    years = {int(start): _year(int(start), year) for start, year in facts["years"].items()}
    return Columns(
        source=facts["source"],
        read_on=facts["read_on"],
        codes=tuple(facts["columns"]),
        headings=MappingProxyType(headings),
        values=MappingProxyType(values),
        years=MappingProxyType(years),
    )


def _by_label(labels: Mapping[str, str]) -> dict[str, str]:
    """The code that each label of a column stands for."""
    return {plain(label): code for code, label in labels.items()}


def _year(start: int, year: Mapping[str, Any]) -> CollectionYear:
    """One collection year, as its part of the file says."""
    wanted = tuple(tuple(group) for group in year["wanted"])
    return CollectionYear(start, year["is_verified"], wanted, MappingProxyType(year["nominated"]))
