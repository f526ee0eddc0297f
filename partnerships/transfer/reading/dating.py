"""The date of a published list, from its file name, title or rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from partnerships.kit.dates import MONTHS
from partnerships.transfer.reading.tables import Row
from partnerships.transfer.reading.values import text

_MONTH = "|".join([*MONTHS, *(name[:3] for name in MONTHS), "Sept"])
_YEAR = r"(?P<year>20\d{2})"
_GAP = r"[-_., ]"
#: Full dates first: they are more precise than a month.
_DAYS = (
    re.compile(rf"(?<!\d){_YEAR}(?P<gap>{_GAP}?)(?P<month>\d{{2}})(?P=gap)(?P<day>\d{{2}})(?!\d)"),
    re.compile(rf"(?<!\d)(?P<day>\d{{2}})(?P<gap>[-_./])(?P<month>\d{{2}})(?P=gap){_YEAR}(?!\d)"),
    re.compile(
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?{_GAP}+(?P<name>{_MONTH}){_GAP}+{_YEAR}(?!\d)", re.IGNORECASE
    ),
)
_MONTHS = (
    re.compile(rf"(?<!\d){_YEAR}(?P<gap>{_GAP}?)(?P<month>\d{{2}})(?!\d)"),
    re.compile(rf"(?<![a-z])(?P<name>{_MONTH}){_GAP}*{_YEAR}(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<!\d){_YEAR}{_GAP}+(?P<name>{_MONTH})(?![a-z])", re.IGNORECASE),
)
_SAYS_WHEN = re.compile(
    r"\b(?:as (?:at|of)|correct (?:at|on)|updated(?: on)?|published(?: on)?|dated?)\b", re.IGNORECASE
)


def date_in_file_name(file_name: str) -> dt.date | None:
    """Return the last date meant by a file name; None if it has no date.

    `…_2023-02.json` is 28 February 2023, `LAD_(April_2025).csv` 30 April 2025, `list20250401.csv` 1 April 2025. A
    full date is preferred to a month, and a later match to an earlier one.
    """
    for patterns in (_DAYS, _MONTHS):
        dates = [
            (match.start(), day)
            for pattern in patterns
            for match in pattern.finditer(file_name)
            if (day := _meant(match.groupdict())) is not None
        ]
        if dates:
            return max(dates)[1]
    return None


def date_in_titles(rows: Iterable[Row]) -> dt.date | None:
    """Return the date in a title above the heading; None if there is none.

    For example “As at 8 February 2023”.
    """
    for row in rows:
        words = " ".join(text(cell) for cell in row.cells)
        says = _SAYS_WHEN.search(words)
        if says and (day := date_in_file_name(words[says.end() :])) is not None:
            return day
    return None


def _meant(parts: dict[str, str | None]) -> dt.date | None:
    """Return the day of these parts; the last day of the month if none is given. None if impossible."""
    year = int(parts["year"] or 0)
    name = parts.get("name")
    if name:
        month = next(
            number for number, full in enumerate(MONTHS, start=1) if full[:3].casefold() == name[:3].casefold()
        )
    else:
        month = int(parts.get("month") or 0)
    day = parts.get("day")
    if not 1 <= month <= 12:
        return None
    try:
        if day:
            return dt.date(year, month, int(day))
        return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
    except ValueError:
        return None
