"""Cells, sources and restatements of a report in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from partnerships.kit.dates import long_date, long_time
from partnerships.kit.text import figure, pounds
from partnerships.reports.comparing import Restatement
from partnerships.reports.snapshot import Cell, Kind, Snapshot, Source

#: The text of an empty cell.
EMPTY = "–"
#: The minus sign, which is as wide as a plus sign.
MINUS = "\u2212"


def cell_in_words(kind: Kind, value: Cell) -> str:
    """Return the text of a cell, such as “1,250”, “£3,000”, “42.0%” or “–” for an empty cell."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, dt.date):
        return long_date(value)
    if not isinstance(value, int | Decimal):
        return value
    if kind is Kind.COUNT and value == 0:
        return "none"
    if kind is Kind.MONEY:
        return pounds(value)
    if kind in (Kind.SHARE, Kind.PART):
        return f"{value:.1f}%"
    if kind is Kind.CHANGE and value > 0:
        return f"+{figure(value)}"
    return figure(value).replace("-", MINUS)


def creation_in_words(snapshot: Snapshot) -> str:
    """Return when and for whom a report was computed.

    For example: `As at 3 March 2027, 14:05. This report counts what Amina Yusuf can read.`
    """
    return f"As at {long_time(timezone.localtime(snapshot.made_at))}. {snapshot.made_for}"


def source_in_words(source: Source) -> str:
    """Return text such as `Published versions of plans, as at 3 March 2027`."""
    return f"{source.words}, as at {long_date(source.as_of)}" if source.as_of else source.words


@dataclass(frozen=True, slots=True)
class ShownRestatement:
    """A restated figure in words."""

    table: str
    row: str
    column: str
    was: str
    now: str
    difference: str


def shown_restatements(restatements: Iterable[Restatement]) -> list[ShownRestatement]:
    """Return restated figures in words."""
    return [
        ShownRestatement(
            table=restatement.table,
            row=restatement.row,
            column=restatement.column,
            was=cell_in_words(restatement.kind, restatement.was),
            now=cell_in_words(restatement.kind, restatement.now),
            difference=cell_in_words(Kind.CHANGE, restatement.difference) if restatement.difference is not None else "",
        )
        for restatement in restatements
    ]
