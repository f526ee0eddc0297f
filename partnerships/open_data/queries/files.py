"""The content of an organisation's published files, which everybody may read."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from partnerships.kit.exports import safe_cell
from partnerships.open_data.queries.contributions import agreement_rows, contribution_rows, transaction_rows
from partnerships.open_data.queries.plans import plan_rows, timetable_rows
from partnerships.open_data.queries.rows import PublishedRow
from partnerships.open_data.queries.sites import site_rows
from partnerships.open_data.standards import (
    AGREEMENT,
    BROWNFIELD_LAND,
    CONTRIBUTION,
    DATASETS,
    PLAN,
    TIMETABLE,
    TRANSACTION,
)
from partnerships.organisations.models import Organisation

#: A number, which is not a formula even if it begins with a sign.
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A published file of a standard, with its rows and the time of the last change."""

    headings: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    changed_at: dt.datetime | None
    #: Sentences about the records that are not in the file, with the reasons.
    left_out: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """Return the file as CSV (RFC 4180) in UTF-8."""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(self.headings)
        for row in self.rows:
            writer.writerow([_cell(row.get(heading, "")) for heading in self.headings])
        return buffer.getvalue().encode()


def _cell(value: str) -> str:
    """Return the text as a cell that no spreadsheet program treats as a formula."""
    return value if _NUMBER.fullmatch(value) else str(safe_cell(value))


def file_of(organisation: Organisation, dataset: str) -> OpenFile:
    """Return an organisation's file. The rows of imported files come first, in their order, and then new rows."""
    rows = sorted(_ROWS[dataset](organisation), key=lambda row: row.order)
    return OpenFile(
        headings=DATASETS[dataset].headings,
        rows=tuple(row.cells for row in rows if not row.left_out),
        changed_at=max((row.changed_at for row in rows if row.changed_at), default=None),
        left_out=tuple(dict.fromkeys(row.left_out for row in rows if row.left_out)),
    )


_ROWS: Mapping[str, Callable[[Organisation], Sequence[PublishedRow]]] = {
    PLAN.code: plan_rows,
    TIMETABLE.code: timetable_rows,
    AGREEMENT.code: agreement_rows,
    CONTRIBUTION.code: contribution_rows,
    TRANSACTION.code: transaction_rows,
    BROWNFIELD_LAND.code: site_rows,
}
