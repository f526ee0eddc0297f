"""Find the notes below a table, such as sources, totals and licences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from partnerships.transfer.reading.tables import Row
from partnerships.transfer.reading.values import text

#: Beginnings of notes below a table.
_NOTE = re.compile(
    r"(\(?(foot)?notes?\b|sources?\b|(grand |sub)?totals?\b|contains\b|©|\(c\)|crown copyright|copyright|licen[cs]ed?\b"
    r"|(last |date )?(updated|published)\b|(prepared|produced) by|contact\b|for (more|further) information"
    r"|end of (table|list|data|sheet|worksheet|file)|this (list|table|sheet|file|data|dataset|spreadsheet|document)\b"
    r"|open government licen[cs]e|data (as at|as of|correct)|(as|correct) (at|of)\b|https?://"
    r"|\[[^\]]{1,12}\]|\(?\d{1,2}[.)]\s|\*|†)",
    re.IGNORECASE,
)
#: Beginnings that are never the first cell of a record, even if the other cells of the row are filled in.
_CERTAIN_NOTE = re.compile(
    r"((foot)?notes?|sources?)\s*:|((foot)?notes?|sources?|(grand )?totals?)\s*$|©|\(c\) crown|crown copyright"
    r"|contains (os|ons|ordnance survey|national statistics|public sector|royal mail)\b|licensed under",
    re.IGNORECASE,
)


def index_of_first_note(rows: Sequence[Row], required_indexes: set[int], heading_number: int) -> int:
    """Return the index of the first note below the table, or the number of rows if there are no notes.

    Notes are the last rows, if they are not filled in like records and either begin like notes or follow a blank row.
    A last record that was cut off is not a note. It is returned as a row, and a problem is reported for it.
    """
    first_note = len(rows)
    for index in range(len(rows) - 1, -1, -1):
        row = rows[index]
        filled_indexes = [cell_index for cell_index, cell in enumerate(row.cells) if text(cell)]
        first_text = text(row.cells[filled_indexes[0]]) if filled_indexes else ""
        is_filled_like_record = required_indexes <= set(filled_indexes)
        is_note = _CERTAIN_NOTE.match(first_text) or (_NOTE.match(first_text) and not is_filled_like_record)
        if is_note or not filled_indexes:
            first_note = index
            continue
        if len(filled_indexes) > 1 or len(required_indexes) < 2:
            break
        previous_number = rows[index - 1].number if index else heading_number
        if row.number > previous_number + 1:
            first_note = index
    return first_note
