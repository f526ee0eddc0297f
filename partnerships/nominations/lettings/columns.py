"""Columns and codes of the CORE lettings export by collection year, from a dated data file."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

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
        """The collection year of a day; None for a year that we know nothing about.

        Later years are read like the last one we know, as unverified.
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
    codes = tuple(facts["columns"])
    headings = {plain(heading): code for code, label in facts["columns"].items() for heading in (code, label)}
    years = {
        int(start): CollectionYear(
            int(start),
            year["is_verified"],
            tuple(tuple(group) for group in year["wanted"]),
            MappingProxyType(year["nominated"]),
        )
        for start, year in facts["years"].items()
    }
    values = {
        column: MappingProxyType({plain(label): code for code, label in labels.items()})
        for column, labels in facts["values"].items()
    }
    return Columns(
        facts["source"],
        facts["read_on"],
        codes,
        MappingProxyType(headings),
        MappingProxyType(values),
        MappingProxyType(years),
    )
