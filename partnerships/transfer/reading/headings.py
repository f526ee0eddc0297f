"""Find the sheet, the heading row and the columns of the table in a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from partnerships.kit.text import counted
from partnerships.transfer.reading.dating import date_in_titles
from partnerships.transfer.reading.list_file import REASON, ListFile
from partnerships.transfer.reading.notes import index_of_first_note
from partnerships.transfer.reading.problems import Problem, UnableToRead, refuse_file
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import text

#: The heading row must be among this many rows. Titles, notes and blank lines may come before it.
HEADING_WITHIN = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a list can have, and how to recognise its heading."""

    code: str
    #: Patterns of its canonical heading. The most likely one comes first.
    patterns: tuple[str, ...]
    #: The usual heading, for messages.
    shown: str
    required: bool = False
    #: A pattern of the column's values, if it distinguishes them from the values of other columns.
    values: str = ""


class UnknownHeadings(UnableToRead):
    """Raised if a required column is missing. A person may find it among the file's other headings."""

    def __init__(self, problems: Iterable[Problem], columns: Sequence[Column]) -> None:
        super().__init__(problems)
        self.columns = tuple(columns)


#: The headings of a publisher whose lists had no heading that a person had to confirm.
NONE_KNOWN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table, whose cells are read by the codes of their columns."""

    number: int
    cells: tuple[Cell, ...]
    #: The index of each column by its code.
    index_by_code: dict[str, int]
    sheet: str

    def __getitem__(self, code: str) -> Cell:
        """Return the cell in a column, or None if the column or the cell is missing."""
        index = self.index_by_code.get(code)
        return self.cells[index] if index is not None and index < len(self.cells) else None

    def text(self, code: str) -> str:
        """Return the cell in a column as one line of text."""
        return text(self[code])


@dataclass(frozen=True, slots=True)
class Table:
    """The rows below a heading row, and the position of each column."""

    sheet: str
    heading: Row
    #: The index of each column by its code.
    index_by_code: dict[str, int]
    rows: tuple[Row, ...]
    #: Rows above the heading row.
    rows_above: tuple[Row, ...] = ()
    #: Notes below the table.
    notes: tuple[Row, ...] = ()
    #: Sentences for the report about other sheets and rows that were left out.
    remarks: tuple[str, ...] = ()
    #: The numbers of rows that were dropped because they are equal to an earlier row.
    repeated_row_numbers: tuple[int, ...] = ()

    @property
    def list_file(self) -> ListFile:
        """Return the file that has this table, with the date in the title above it."""
        headings = tuple(text(cell) for cell in self.heading.cells)
        return ListFile(
            remarks=self.remarks,
            true_on=date_in_titles(self.rows_above),
            heading=headings,
            rows={row.number: row.cells for row in self.rows},
            repeated_row_numbers=self.repeated_row_numbers,
            is_corrected=canonical(REASON) in map(canonical, headings),
        )

    def __iter__(self) -> Iterator[Line]:
        return (Line(row.number, row.cells, self.index_by_code, self.sheet) for row in self.rows)

    def has(self, code: str) -> bool:
        """Return whether the file has the column."""
        return code in self.index_by_code

    def name_of(self, code: str) -> str:
        """Return the file's own heading of a column, for messages."""
        index = self.index_by_code.get(code)
        return text(self.heading.cells[index]) if index is not None else code

    @property
    def unnamed_columns(self) -> tuple[int, ...]:
        """Return the numbers, from 1, of the columns that have values but no heading."""
        width = max((len(row.cells) for row in self.rows), default=0)
        return tuple(
            index + 1
            for index in range(width)
            if not _text_at(self.heading, index) and any(_text_at(row, index) for row in self.rows)
        )


def _text_at(row: Row, index: int) -> str:
    return text(row.cells[index]) if index < len(row.cells) else ""


def canonical(heading: str) -> str:
    """Return a heading without case, spaces, punctuation and accents, so that spellings of it are equal.

    `Organisation_Name ` and `organisation name` are equal.
    """
    folded = unicodedata.normalize("NFKD", heading).casefold()
    return re.sub(r"[^a-z0-9]+", "", folded)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The most likely heading row of a sheet, and the rows below it."""

    sheet: Sheet
    #: The index of the heading row in the sheet.
    heading_index: int
    #: The index of each known column by its code.
    index_by_code: dict[str, int]
    #: The number of required columns among the known ones.
    required_count: int
    rows: tuple[Row, ...] = ()
    notes: tuple[Row, ...] = ()
    repeated_row_numbers: tuple[int, ...] = ()

    @property
    def heading(self) -> Row:
        """Return the heading row."""
        return self.sheet.rows[self.heading_index]

    @property
    def known_columns(self) -> tuple[int, int]:
        """Return the numbers of required columns and of all known columns, by which candidates are compared."""
        return self.required_count, len(self.index_by_code)

    @property
    def content(self) -> set[tuple[str, ...]]:
        """Return the texts in the known columns. Two sheets with the same content are copies of one table."""
        indexes = sorted(self.index_by_code.values())
        return {tuple(_text_at(row, index) for index in indexes) for row in self.rows}

    def __str__(self) -> str:
        return f"“{self.sheet.name}” ({counted(len(self.rows), 'row')})"


def find_table(
    sheets: Sequence[Sheet],
    columns: Sequence[Column],
    description: str,
    known_headings: Mapping[str, str] = NONE_KNOWN,
    *,
    keep_repeats: bool = False,
) -> Table:
    """Return the table that has every required column.

    `description` names the list for messages, such as “a list of councils”. `known_headings` has the columns of
    headings that people confirmed, by canonical heading.

    If several sheets have such a table, the one with the most known columns is used. If they have equally many, it is
    the one with the most rows. For example, a workbook with the sheets “Councils” and “Old councils”, which has the
    same columns but fewer rows, gives the table of “Councils”. Rows that are equal to an earlier row are dropped. Pass
    `keep_repeats` for a table of figures, because two parts of a figure may be equal.

    Raises `UnknownHeadings` if a required column is missing, and `UnableToRead` if it is not clear which sheet is
    meant, or if the table has no rows.
    """
    required_codes = {column.code for column in columns if column.required}
    candidates = [_best_heading_row(sheet, columns, required_codes, known_headings) for sheet in sheets if sheet.rows]

    complete = [
        _with_rows(candidate, required_codes, keep_repeats=keep_repeats)
        for candidate in candidates
        if candidate.required_count == len(required_codes)
    ]
    if not complete:
        nearest_candidate = max(candidates, key=lambda candidate: candidate.known_columns, default=None)
        raise UnknownHeadings(_missing_columns(nearest_candidate, columns, description), columns)

    chosen, other_candidates = _choose([candidate for candidate in complete if candidate.rows] or complete, description)
    if not chosen.rows:
        message = "there is no row below the heading."
        problem = Problem(chosen.heading.number, "", message, "Download the list again.", chosen.sheet.name)
        raise UnableToRead([problem])
    return Table(
        sheet=chosen.sheet.name if len(sheets) > 1 else "",
        heading=chosen.heading,
        index_by_code=chosen.index_by_code,
        rows=chosen.rows,
        rows_above=chosen.sheet.rows[: chosen.heading_index],
        notes=chosen.notes,
        remarks=tuple(_remarks_on(chosen, other_candidates)),
        repeated_row_numbers=chosen.repeated_row_numbers,
    )


def _remarks_on(chosen: _Candidate, others: Sequence[_Candidate]) -> Iterator[str]:
    """Yield sentences about what was left out: other sheets, repeated rows, and notes below the table."""
    if others:
        other_sheets = ", ".join(str(candidate) for candidate in others)
        yield f"We read the sheet {chosen}, and left out others with the same headings: {other_sheets}."
    if chosen.repeated_row_numbers:
        row_numbers = ", ".join(map(str, chosen.repeated_row_numbers[:20]))
        row_numbers += " …" if len(chosen.repeated_row_numbers) > 20 else ""
        yield f"We counted each row that repeats an earlier one only once (rows {row_numbers})."
    if chosen.notes:
        notes = "; ".join(f"“{_one_line(row)}”" for row in chosen.notes[:5])
        first, last = chosen.notes[0].number, chosen.notes[-1].number
        rows = f"row {first}" if first == last else f"rows {first} to {last}"
        yield f"Notes below the table were left out ({rows}): {notes}."


def _best_heading_row(
    sheet: Sheet, columns: Sequence[Column], required_codes: set[str], known_headings: Mapping[str, str]
) -> _Candidate:
    """Return the row near the top with the most required columns and, among such rows, the most columns."""
    candidates = []
    for index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
        index_by_code = find_columns(row, sheet.rows[index + 1 :], columns, known_headings)
        required_count = len(required_codes & index_by_code.keys())
        candidates.append(_Candidate(sheet, index, index_by_code, required_count))
    return max(candidates, key=lambda candidate: candidate.known_columns)


def _with_rows(candidate: _Candidate, required_codes: set[str], *, keep_repeats: bool) -> _Candidate:
    """Return the candidate with the rows and the notes below its heading row.

    Rows that repeat the headings, as on printed pages, are left out.
    """
    below = tuple(
        row for row in candidate.sheet.rows[candidate.heading_index + 1 :] if row.cells != candidate.heading.cells
    )
    required_indexes = {candidate.index_by_code[code] for code in required_codes}
    note_index = index_of_first_note(below, required_indexes, candidate.heading.number)
    rows, notes = below[:note_index], below[note_index:]
    if keep_repeats:
        return replace(candidate, rows=rows, notes=notes)
    rows, repeated_row_numbers = _without_repeats(rows, sorted(candidate.index_by_code.values()))
    return replace(candidate, rows=rows, notes=notes, repeated_row_numbers=repeated_row_numbers)


def _without_repeats(rows: Sequence[Row], indexes: Sequence[int]) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """Return the rows without those that are equal to an earlier row, and the row numbers of the latter.

    Only the columns with these indexes are compared. Other columns, such as running numbers, always differ.
    """
    first_row_by_texts: dict[tuple[str, ...], Row] = {}
    repeated = []
    for row in rows:
        texts = tuple(_text_at(row, index) for index in indexes)
        if any(texts) and first_row_by_texts.setdefault(texts, row) is not row:
            repeated.append(row.number)
    repeated_numbers = set(repeated)
    return tuple(row for row in rows if row.number not in repeated_numbers), tuple(repeated)


def _one_line(row: Row) -> str:
    return " ".join(text(cell) for cell in row.cells if text(cell))[:80]


def _choose(candidates: list[_Candidate], description: str) -> tuple[_Candidate, list[_Candidate]]:
    """Return the best sheet, and the other sheets except copies of the best one.

    Raises `UnableToRead` if another sheet is as good, or has only one column less but more rows.
    """
    best = max(candidates, key=lambda candidate: (len(candidate.index_by_code), len(candidate.rows)))
    best_content = best.content
    others = [candidate for candidate in candidates if candidate is not best and candidate.content != best_content]
    rivals = []
    for other in others:
        has_more_rows = len(other.rows) > len(best.rows)
        is_as_good = (len(other.index_by_code), len(other.rows)) == (len(best.index_by_code), len(best.rows))
        if len(other.index_by_code) >= len(best.index_by_code) - 1 and (has_more_rows or is_as_good):
            rivals.append(other)
    if rivals:
        raise refuse_file(
            f"several of its sheets could be {description}: {', '.join(str(rival) for rival in (best, *rivals))}.",
            "Save the right one as a separate file, and upload that.",
        )
    return best, others


def find_columns(
    row: Row, below: Sequence[Row], columns: Sequence[Column], known_headings: Mapping[str, str] = NONE_KNOWN
) -> dict[str, int]:
    """Return the index of each column in a heading row, by its code. Confirmed headings have priority.

    `below` are the rows below the heading row.
    """
    headings = [canonical(text(cell)) if isinstance(cell, str) else "" for cell in row.cells]
    codes = {column.code for column in columns}
    index_by_code = {
        known_headings[heading]: index for index, heading in enumerate(headings) if known_headings.get(heading) in codes
    }
    all_indexes = set(range(len(headings)))
    filled_indexes: set[int] | None = None
    for column in columns:
        if column.code in index_by_code or _index_of(column, headings, all_indexes) is None:
            continue
        if filled_indexes is None:
            filled_indexes = {
                index for index in range(len(headings)) if any(_text_at(row_below, index) for row_below in below)
            }
        # A column without values is taken only if no other column has such a heading.
        used_indexes = set(index_by_code.values())
        index = _index_of(column, headings, filled_indexes - used_indexes)
        if index is None:
            index = _index_of(column, headings, all_indexes - used_indexes)
        if index is not None:
            index_by_code[column.code] = index
    return index_by_code


def _index_of(column: Column, headings: list[str], allowed_indexes: set[int]) -> int | None:
    """Return the index of the heading that matches the column's most likely pattern, or None if none matches."""
    for pattern in column.patterns:
        matching = [index for index in allowed_indexes if headings[index] and re.fullmatch(pattern, headings[index])]
        if matching:
            # LAD25CD is newer than LAD23CD, so it is preferred. Of equal headings, the first one is.
            return max(matching, key=lambda index: (headings[index], -index))
    return None


def _missing_columns(best: _Candidate | None, columns: Sequence[Column], description: str) -> list[Problem]:
    """Return a problem for each missing column, or a single problem if no row looks like a heading.

    `best` is the row most like a heading, or None if the sheets have no rows.
    """
    heading_cells = best.heading.cells if best else ()
    shown = ", ".join(f"“{text(cell)[:60]}”" for cell in heading_cells[:12] if text(cell))
    if best is None or not best.index_by_code:
        required = ", ".join(f"“{column.shown}”" for column in columns if column.required)
        first_row = f"; its first row has {shown}. Is this the right file?" if shown else "."
        fault = f"no row near the top looks like the heading of {description}."
        return [Problem(None, "", fault, f"It needs the columns {required}{first_row}")]
    remedy = f"The heading row of {description} needs it, and has only {shown}. Is this the right file?"
    return [
        Problem(best.heading.number, column.shown, "this column is missing.", remedy)
        for column in columns
        if column.required and column.code not in best.index_by_code
    ]
