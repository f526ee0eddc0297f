"""Finding the table in a file: its sheet, heading row and columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from partnerships.transfer.reading.dating import date_in_titles
from partnerships.transfer.reading.list_file import REASON, ListFile
from partnerships.transfer.reading.problems import Problem, UnableToRead, unable
from partnerships.transfer.reading.tables import Cell, Row, Sheet
from partnerships.transfer.reading.values import text

#: Titles, notes and blank lines may come above the heading, up to this row.
HEADING_WITHIN = 40
#: How publishers start the notes below a table. In a row filled like a record, only the unmistakable ones count.
_NOTE = re.compile(
    r"(\(?(foot)?notes?\b|sources?\b|(grand |sub)?totals?\b|contains\b|©|\(c\)|crown copyright|copyright|licen[cs]ed?\b"
    r"|(last |date )?(updated|published)\b|(prepared|produced) by|contact\b|for (more|further) information"
    r"|end of (table|list|data|sheet|worksheet|file)|this (list|table|sheet|file|data|dataset|spreadsheet|document)\b"
    r"|open government licen[cs]e|data (as at|as of|correct)|(as|correct) (at|of)\b|https?://"
    r"|\[[^\]]{1,12}\]|\(?\d{1,2}[.)]\s|\*|†)",
    re.IGNORECASE,
)
_SURELY_NOTE = re.compile(
    r"((foot)?notes?|sources?)\s*:|((foot)?notes?|sources?|(grand )?totals?)\s*$|©|\(c\) crown|crown copyright"
    r"|contains (os|ons|ordnance survey|national statistics|public sector|royal mail)\b|licensed under",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Column:
    """A meaning of a column, with heading patterns and an example.

    The likeliest pattern comes first.
    """

    code: str
    patterns: tuple[str, ...]
    shown: str
    required: bool = False
    #: A pattern that most values match, if they are of a kind of their own.
    values: str = ""


class UnknownHeadings(UnableToRead):
    """A needed column is missing; a heading of another name may be it."""

    def __init__(self, problems: Iterable[Problem], columns: Sequence[Column]) -> None:
        super().__init__(problems)
        self.columns = tuple(columns)


#: No heading was confirmed by a person.
NONE_KNOWN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Line:
    """One row, read by meaning."""

    number: int
    cells: tuple[Cell, ...]
    places: dict[str, int]
    sheet: str

    def __getitem__(self, code: str) -> Cell:
        """The cell for a meaning; None if the column or cell is missing."""
        place = self.places.get(code)
        return self.cells[place] if place is not None and place < len(self.cells) else None

    def text(self, code: str) -> str:
        """The cell as one line of text."""
        return text(self[code])


@dataclass(frozen=True, slots=True)
class Table:
    """The rows below a heading whose columns are known."""

    sheet: str
    heading: Row
    places: dict[str, int]
    rows: tuple[Row, ...]
    above: tuple[Row, ...] = ()
    #: Notes below the table.
    notes: tuple[Row, ...] = ()
    #: Other possible sheets, for the report.
    remarks: tuple[str, ...] = ()
    #: Numbers of rows that say the same as an earlier one.
    repeated: tuple[int, ...] = ()

    @property
    def list_file(self) -> ListFile:
        """How this table was read, and the date in its title, for the report."""
        headings = tuple(text(cell) for cell in self.heading.cells)
        return ListFile(
            remarks=self.remarks,
            true_on=date_in_titles(self.above),
            heading=headings,
            rows={row.number: row.cells for row in self.rows},
            repeated=self.repeated,
            is_corrected=canonical(REASON) in map(canonical, headings),
        )

    def __iter__(self) -> Iterator[Line]:
        return (Line(row.number, row.cells, self.places, self.sheet) for row in self.rows)

    def has(self, code: str) -> bool:
        """Whether a column has that meaning."""
        return code in self.places

    def name_of(self, code: str) -> str:
        """The file's own name for the column, for messages."""
        place = self.places.get(code)
        return text(self.heading.cells[place]) if place is not None else code

    @property
    def nameless(self) -> tuple[int, ...]:
        """Positions, from 1, of columns with values but no heading."""
        wide = max((len(row.cells) for row in self.rows), default=0)
        return tuple(
            place + 1
            for place in range(wide)
            if (place >= len(self.heading.cells) or not text(self.heading.cells[place]))
            and any(place < len(row.cells) and text(row.cells[place]) for row in self.rows)
        )


def canonical(heading: str) -> str:
    """A heading without case, spaces, punctuation and accents.

    `Organisation_Name ` and `organisation name` are equal.
    """
    folded = unicodedata.normalize("NFKD", heading).casefold()
    return re.sub(r"[^a-z0-9]+", "", folded)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The likeliest heading row of a sheet, and the rows below it."""

    sheet: Sheet
    index: int
    places: dict[str, int]
    required: int
    rows: tuple[Row, ...] = ()
    notes: tuple[Row, ...] = ()
    repeated: tuple[int, ...] = ()

    @property
    def heading(self) -> Row:
        """The heading row's cells."""
        return self.sheet.rows[self.index]

    @property
    def content(self) -> set[tuple[str, ...]]:
        """The values of the rows, to recognise a copy of a list."""
        places = sorted(self.places.values())
        return {tuple(text(row.cells[at]) if at < len(row.cells) else "" for at in places) for row in self.rows}

    def __str__(self) -> str:
        return f"“{self.sheet.name}” ({len(self.rows):,} {'row' if len(self.rows) == 1 else 'rows'})"


def find_table(
    sheets: Sequence[Sheet],
    columns: Sequence[Column],
    what: str,
    known_headings: Mapping[str, str] = NONE_KNOWN,
    *,
    keep_repeats: bool = False,
) -> Table:
    """The table that has a column for every required meaning.

    `known_headings` has the meanings of headings that a person confirmed, by canonical heading. With `keep_repeats`
    equal rows are rows of their own: parts of a figure that happen to be equal. If several sheets have such a table,
    the best has most known headings, then most rows. Raises `UnknownHeadings` with the missing columns and the headings
    found instead, or `UnableToRead` with the sheets if the choice is unclear.
    """
    required = {column.code for column in columns if column.required}
    likeliest = [
        found for sheet in sheets if (found := _likeliest(sheet, columns, required, known_headings)) is not None
    ]
    whole = [_with_rows(one, required, keep_repeats) for one in likeliest if one.required == len(required)]
    if not whole:
        best = max(likeliest, key=lambda one: (one.required, len(one.places)), default=None)
        raise UnknownHeadings(_missing(best, columns, what), columns)
    chosen, others = _chosen([one for one in whole if one.rows] or whole, what)
    if not chosen.rows:
        raise UnableToRead(
            [
                Problem(
                    chosen.heading.number,
                    "",
                    "there is no row below the heading.",
                    "Download the list again.",
                    chosen.sheet.name,
                )
            ]
        )
    return Table(
        sheet=chosen.sheet.name if len(sheets) > 1 else "",
        heading=chosen.heading,
        places=chosen.places,
        rows=chosen.rows,
        above=chosen.sheet.rows[: chosen.index],
        notes=chosen.notes,
        remarks=tuple(_remarks_on(chosen, others)),
        repeated=chosen.repeated,
    )


def _remarks_on(chosen: _Candidate, others: Sequence[_Candidate]) -> Iterator[str]:
    """What was left out: other sheets, repeated rows, and notes below the table."""
    if others:
        left = ", ".join(str(one) for one in others)
        yield f"The sheet read was {chosen}; left aside, though it has the same headings: {left}."
    if chosen.repeated:
        shown = ", ".join(map(str, chosen.repeated[:20])) + (" …" if len(chosen.repeated) > 20 else "")
        yield f"Rows that repeat an earlier row count once (rows {shown})."
    if chosen.notes:
        words = "; ".join(f"“{_words(row)}”" for row in chosen.notes[:5])
        first, last = chosen.notes[0].number, chosen.notes[-1].number
        rows = f"row {first}" if first == last else f"rows {first} to {last}"
        yield f"Notes below the table were left out ({rows}): {words}."


def _likeliest(
    sheet: Sheet, columns: Sequence[Column], required: set[str], known_headings: Mapping[str, str]
) -> _Candidate | None:
    best: _Candidate | None = None
    for index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
        places = find_places(row, sheet.rows[index + 1 :], columns, known_headings)
        found = _Candidate(sheet, index, places, len(required & places.keys()))
        if best is None or (found.required, len(places)) > (best.required, len(best.places)):
            best = found
    return best


def _with_rows(found: _Candidate, required: set[str], keep_repeats: bool) -> _Candidate:
    below = tuple(row for row in found.sheet.rows[found.index + 1 :] if row.cells != found.heading.cells)
    needed = {found.places[code] for code in required}
    first = _first_note(below, needed, found.heading.number)
    rows, repeated = (
        (below[:first], ()) if keep_repeats else _without_repeats(below[:first], sorted(found.places.values()))
    )
    return _Candidate(
        sheet=found.sheet,
        index=found.index,
        places=found.places,
        required=found.required,
        rows=rows,
        notes=below[first:],
        repeated=repeated,
    )


def _without_repeats(rows: Sequence[Row], places: Sequence[int]) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """The rows, and the numbers of those that say the same as an earlier one.

    Columns without a known meaning, such as running numbers, do not count.
    """
    first: dict[tuple[str, ...], Row] = {}
    repeated = []
    for row in rows:
        said = tuple(text(row.cells[at]) if at < len(row.cells) else "" for at in places)
        if any(said) and first.setdefault(said, row) is not row:
            repeated.append(row.number)
    left_out = set(repeated)
    return tuple(row for row in rows if row.number not in left_out), tuple(repeated)


def _first_note(rows: Sequence[Row], needed: set[int], heading: int) -> int:
    """The index of the first note below the table.

    Notes are the last rows that are not filled like records and either start like notes or follow a gap. A last record
    that was cut short is not a note: it stays and is reported as a problem.
    """
    first = len(rows)
    for index in range(len(rows) - 1, -1, -1):
        row = rows[index]
        filled = [place for place, cell in enumerate(row.cells) if text(cell)]
        begins = text(row.cells[filled[0]]) if filled else ""
        if not filled or _SURELY_NOTE.match(begins) or (_NOTE.match(begins) and not needed <= set(filled)):
            first = index
        elif len(filled) > 1 or len(needed) < 2:
            break
        elif row.number > (rows[index - 1].number if index else heading) + 1:
            first = index
    return first


def _words(row: Row) -> str:
    return " ".join(text(cell) for cell in row.cells if text(cell))[:80]


def _chosen(whole: list[_Candidate], what: str) -> tuple[_Candidate, list[_Candidate]]:
    """The best sheet, and the others it could be.

    One more heading does not outweigh far fewer rows: then none is chosen.
    """
    best = max(whole, key=lambda one: (len(one.places), len(one.rows)))
    rivals = [
        one
        for one in whole
        if one is not best
        and len(one.places) >= len(best.places) - 1
        and (len(one.rows) > len(best.rows) or (len(one.places), len(one.rows)) == (len(best.places), len(best.rows)))
        and one.content != best.content
    ]
    if rivals:
        raise unable(
            f"several of its sheets could be {what}: {', '.join(str(rival) for rival in (best, *rivals))}.",
            "Save the right one as a separate file, and upload that.",
        )
    content = best.content
    return best, [one for one in whole if one is not best and one.content != content]


def find_places(
    row: Row, below: Sequence[Row], columns: Sequence[Column], known_headings: Mapping[str, str] = NONE_KNOWN
) -> dict[str, int]:
    """The place of each meaning in a heading row; confirmed headings first."""
    headings = [canonical(text(cell)) if isinstance(cell, str) else "" for cell in row.cells]
    filled: set[int] | None = None
    codes = {column.code for column in columns}
    places = {
        known_headings[heading]: at for at, heading in enumerate(headings) if known_headings.get(heading) in codes
    }
    for column in columns:
        if column.code in places:
            continue
        if not any(re.fullmatch(pattern, heading) for pattern in column.patterns for heading in headings if heading):
            continue
        if filled is None:
            filled = {place for place in range(len(headings)) if _any_value(below, place)}
        # A blank column is ignored if another column has the same meaning.
        place = _place(column, headings, filled - set(places.values()))
        if place is None:
            place = _place(column, headings, set(range(len(headings))) - set(places.values()))
        if place is not None:
            places[column.code] = place
    return places


def _any_value(rows: Sequence[Row], place: int) -> bool:
    return any(place < len(row.cells) and text(row.cells[place]) for row in rows)


def _place(column: Column, headings: list[str], among: set[int]) -> int | None:
    for pattern in column.patterns:
        places = [place for place in among if headings[place] and re.fullmatch(pattern, headings[place])]
        if places:
            # The newer of LAD23CD and LAD25CD; the first of equal headings.
            return max(places, key=lambda place: (headings[place], -place))
    return None


def _missing(best: _Candidate | None, columns: Sequence[Column], what: str) -> list[Problem]:
    """A problem for each missing column, or one if no row looks like a heading."""
    found: dict[str, int] = best.places if best else {}
    row = best.heading if best else None
    shown = ", ".join(f"“{text(cell)[:60]}”" for cell in (row.cells if row else ())[:12] if text(cell))
    number = row.number if row and found else None
    if not found:
        return [
            Problem(
                None,
                "",
                f"no row near the top looks like the heading of {what}.",
                "It needs the columns "
                + ", ".join(f"“{c.shown}”" for c in columns if c.required)
                + (f"; its first row holds {shown}. Is this the right file?" if shown else "."),
            )
        ]
    return [
        Problem(
            number,
            column.shown,
            "this column is missing.",
            f"The heading row of {what} needs it, and has only {shown}. Is this the right file?",
        )
        for column in columns
        if column.required and column.code not in found
    ]
