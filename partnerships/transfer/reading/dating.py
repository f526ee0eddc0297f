"""Find the date of a published list in its file name or title."""

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
#: Full dates come first, because they are more precise than a month.
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
_DATE_INTRODUCTION = re.compile(
    r"\b(?:as (?:at|of)|correct (?:at|on)|updated(?: on)?|published(?: on)?|dated?)\b", re.IGNORECASE
)


def date_in_file_name(file_name: str) -> dt.date | None:
    """Return the last date in a file name, or None if it has none. A month means its last day.

    `…_2023-02.json` is 28 February 2023, `LAD_(April_2025).csv` 30 April 2025, `list20250401.csv` 1 April 2025. A
    full date is preferred to a month, and a later match to an earlier one.
    """
    for patterns in (_DAYS, _MONTHS):
        dates = [
            (match.start(), day)
            for pattern in patterns
            for match in pattern.finditer(file_name)
            if (day := _date_of_match(match.groupdict())) is not None
        ]
        if dates:
            return max(dates)[1]
    return None


def date_in_titles(rows: Iterable[Row]) -> dt.date | None:
    """Return the date in a title above the heading, such as “As at 8 February 2023”, or None if there is none."""
    for row in rows:
        title = " ".join(text(cell) for cell in row.cells)
        introduction = _DATE_INTRODUCTION.search(title)
        if introduction and (day := date_in_file_name(title[introduction.end() :])) is not None:
            return day
    return None


def _date_of_match(groups: dict[str, str | None]) -> dt.date | None:
    """Return the date of a match's groups, or the last day of the month if it has no day.

    Returns None if no such day exists, such as 31 February.
    """
    year = int(groups["year"] or 0)
    name = groups.get("name")
    if name:
        month = next(
            number for number, full in enumerate(MONTHS, start=1) if full[:3].casefold() == name[:3].casefold()
        )
    else:
        month = int(groups.get("month") or 0)
    day = groups.get("day")
    if not 1 <= month <= 12:
        return None
    try:
        if day:
            return dt.date(year, month, int(day))
        return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
    except ValueError:
        return None
