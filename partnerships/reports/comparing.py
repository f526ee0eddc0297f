"""Two snapshots of one report, line by line: what was restated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, starmap

from partnerships.reports.snapshot import DERIVED, Cell, Column, Kind, Row, Snapshot, Table

#: What finds the total of a table: no row has this key.
_TOTAL = "\x00total"


@dataclass(frozen=True, slots=True)
class Restatement:
    """A cell that says something else today.

    None where the row or the column was not there.
    """

    table: str
    row: str
    column: str
    kind: Kind
    was: Cell
    now: Cell

    @property
    def difference(self) -> int | Decimal | None:
        """now - was, where both are figures."""
        if isinstance(self.was, int | Decimal) and isinstance(self.now, int | Decimal):
            return Decimal(self.now) - Decimal(self.was)
        return None


def restatements(was: Snapshot, now: Snapshot) -> list[Restatement]:
    """Every figure that differs, in the order of the newer snapshot.

    Rows and tables that are gone come last. Left out are what follows from other figures (`DERIVED`), each 0 of a row
    that is new or gone, and a total that an earlier table has, too.

    Where the older one left rows out, nobody knows which rows are new: only those that it kept are compared. Where the
    newer one did, nobody knows which are gone.
    """
    pairs = [(was.table(table.code), table) for table in now.tables]
    gone = [(table, None) for table in was.tables if now.table(table.code) is None]
    totals: set[tuple[str, str, Cell, Cell]] = set()
    differing = []
    for key, one in chain.from_iterable(starmap(_in_table, [*pairs, *gone])):
        total = (one.row, one.column, one.was, one.now)
        if key != _TOTAL or total not in totals:
            differing.append(one)
        if key == _TOTAL:
            totals.add(total)
    return differing


def _in_table(was: Table | None, now: Table | None) -> Iterator[tuple[str, Restatement]]:
    """Each figure that differs, with what finds its row."""
    shown = now or was
    assert shown is not None
    before, after = _rows(was), _rows(now)
    columns = (column for table in (was, now) if table is not None for column in table.columns[1:])
    labels = {column.label: column for column in columns}  # the newer one says what kind a column is
    is_cut = was is not None and was.left_out > 0
    shared = [key for key in after if key in before] if is_cut else [*after]
    gone = [] if now is not None and now.left_out else [key for key in before if key not in after]
    for key in [*shared, *gone]:
        name = (after.get(key) or before[key]).name
        nothing = (None, "") if key in before and key in after else (None, "", 0)
        for label, column in labels.items():
            if column.kind in DERIVED:
                continue
            old, new = _cell(was, before.get(key), column), _cell(now, after.get(key), column)
            if old != new and not (old in nothing and new in nothing):
                yield key, Restatement(table=shown.title, row=name, column=label, kind=column.kind, was=old, now=new)


def _rows(table: Table | None) -> dict[str, Row]:
    """The rows by what finds them, the total under a key of its own."""
    if table is None:
        return {}
    rows = {row.identity: row for row in table.rows}
    return rows | ({_TOTAL: table.total} if table.total is not None else {})


def _cell(table: Table | None, row: Row | None, column: Column) -> Cell:
    """The row's cell under the label of a column."""
    if table is None or row is None:
        return None
    place = next((place for place, one in enumerate(table.columns) if one.label == column.label), None)
    return None if place is None else row.cells[place]
