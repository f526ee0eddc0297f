"""Compare two snapshots of one report, and list the figures that were restated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from partnerships.reports.snapshot import DERIVED, Cell, Column, Kind, Row, Snapshot, Table

#: The identity of a table's total. No other row can have it, because keys and names contain no null character.
_TOTAL = "\x00total"


@dataclass(frozen=True, slots=True)
class Restatement:
    """A figure that is different now. `was` or `now` is None if the row or column did not exist."""

    table: str
    row: str
    column: str
    kind: Kind
    was: Cell
    now: Cell

    @property
    def difference(self) -> int | Decimal | None:
        """How much larger the figure is now. None unless both values are numbers."""
        if isinstance(self.was, int | Decimal) and isinstance(self.now, int | Decimal):
            return Decimal(self.now) - Decimal(self.was)
        return None


def restatements(was: Snapshot, now: Snapshot) -> list[Restatement]:
    """Return every figure that differs, in the order of the newer snapshot, with removed rows and tables last.

    The result leaves out figures that are computed from others (`DERIVED`), zeros of new and removed rows, and totals
    that repeat those of an earlier table. If a snapshot does not have all rows, nobody can tell which rows are new or
    removed, so these are left out too.
    """
    earlier_and_later_tables: list[tuple[Table | None, Table | None]] = [
        (was.table(table.code), table) for table in now.tables
    ]
    earlier_and_later_tables += [(table, None) for table in was.tables if now.table(table.code) is None]

    seen_totals: set[tuple[str, str, Cell, Cell]] = set()
    restated_figures = []
    for earlier_table, later_table in earlier_and_later_tables:
        for row_identity, restatement in _restatements_in_table(earlier_table, later_table):
            if row_identity == _TOTAL:
                total = (restatement.row, restatement.column, restatement.was, restatement.now)
                if total in seen_totals:
                    continue
                seen_totals.add(total)
            restated_figures.append(restatement)
    return restated_figures


def _restatements_in_table(was: Table | None, now: Table | None) -> Iterator[tuple[str, Restatement]]:
    """Yield each figure that differs between two versions of a table, with the identity of its row."""
    shown_table = now or was
    assert shown_table is not None
    rows_before, rows_after = _rows_by_identity(was), _rows_by_identity(now)

    columns = _compared_columns(was, now)
    for identity in _compared_rows(was, now, rows_before, rows_after):
        row_before, row_after = rows_before.get(identity), rows_after.get(identity)
        name = (row_after or row_before).name  # type: ignore[union-attr]  # at least one of the tables has the row
        # A zero in a new or removed row is not a restatement.
        empty_cells: tuple[Cell, ...] = (None, "") if row_before and row_after else (None, "", 0)
        for column in columns:
            cell_before, cell_after = _cell(was, row_before, column), _cell(now, row_after, column)
            are_both_empty = cell_before in empty_cells and cell_after in empty_cells
            if cell_before != cell_after and not are_both_empty:
                yield (
                    identity,
                    Restatement(
                        table=shown_table.title,
                        row=name,
                        column=column.label,
                        kind=column.kind,
                        was=cell_before,
                        now=cell_after,
                    ),
                )


def _compared_rows(
    was: Table | None, now: Table | None, rows_before: dict[str, Row], rows_after: dict[str, Row]
) -> list[str]:
    """Return the identities of the rows to compare, first those of the newer table, then those of removed rows."""
    identities = list(rows_after)
    if was is not None and was.left_out > 0:  # a row missing from the earlier table may have been left out of it
        identities = [identity for identity in rows_after if identity in rows_before]
    if now is not None and now.left_out > 0:
        return identities
    return identities + [identity for identity in rows_before if identity not in rows_after]


def _compared_columns(was: Table | None, now: Table | None) -> list[Column]:
    """Return the columns of both tables by label, without the first column.

    Their kinds are those of the newer table.
    """
    column_by_label: dict[str, Column] = {}
    for table in (was, now):
        if table is not None:
            column_by_label |= {column.label: column for column in table.columns[1:]}
    return [column for column in column_by_label.values() if column.kind not in DERIVED]


def _rows_by_identity(table: Table | None) -> dict[str, Row]:
    """Return the rows of a table by identity, with the total last."""
    if table is None:
        return {}
    rows = {row.identity: row for row in table.rows}
    if table.total is not None:
        rows[_TOTAL] = table.total
    return rows


def _cell(table: Table | None, row: Row | None, column: Column) -> Cell:
    """Return the row's cell in the column with this label, or None if there is no such row or column."""
    if table is None or row is None:
        return None
    labels = [table_column.label for table_column in table.columns]
    return row.cells[labels.index(column.label)] if column.label in labels else None
