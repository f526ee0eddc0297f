"""Errors about rows that several kinds of spreadsheet share. Errors about a single cell are in `reading/cells.py`."""

from __future__ import annotations

from collections.abc import Hashable

from partnerships.spreadsheets.services.kinds.base import ImportedRows
from partnerships.transfer.reading.headings import Line

_UPLOAD_AGAIN = "Upload this row again to compare the two."


class RepeatedRows:
    """Sets aside rows that are about the same record as an earlier row of the file."""

    def __init__(self, run: ImportedRows, record: str) -> None:
        self._run = run
        #: The name of the kind of record, such as “commitment”.
        self._record = record
        self._first_line_by_key: dict[Hashable, Line] = {}

    def refuse_if_repeated(self, line: Line, key: Hashable) -> bool:
        """Set the row aside if an earlier row has this key, and return whether it has."""
        first_line = self._first_line_by_key.setdefault(key, line)
        if first_line is line:
            return False
        problem = f"this is the same {self._record} as row {first_line.number}."
        self._run.refuse(line, "", problem, "Keep one of the two rows.")
        return True


def refuse_blank(run: ImportedRows, line: Line, column: str, remedy: str = "Fill in the cell.") -> None:
    """Set aside a row whose required cell is blank."""
    run.refuse(line, column, "the cell is blank.", remedy)


def refuse_if_long(run: ImportedRows, line: Line, column: str, text: str, *, limit: int) -> None:
    """Set the row aside if the text of the cell is longer than the limit."""
    if len(text) > limit:
        run.refuse(line, column, f"the text is {len(text):,} characters long.", f"Shorten it to {limit:,}.")


def refuse_changed_since_preview(run: ImportedRows, line: Line, record: str) -> None:
    """Set aside a row whose record (such as “a contact”) may have been changed after the preview was made."""
    run.refuse(line, "", f"{record} was changed since the preview.", _UPLOAD_AGAIN)


def changed_since_preview(record: str) -> str:
    """Return the message that a record (such as “a contact”) was changed since the preview, for an exception."""
    return f"{record} was changed since the preview. {_UPLOAD_AGAIN}"
