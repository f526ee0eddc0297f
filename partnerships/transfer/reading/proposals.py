"""Guess which heading of a file is which column, from words and values. A person confirms the guesses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from partnerships.transfer.reading.headings import (
    HEADING_WITHIN,
    Column,
    canonical,
    find_columns,
)
from partnerships.transfer.reading.tables import Row, Sheet
from partnerships.transfer.reading.values import text

#: The number of values shown for each heading, and of rows whose values are compared.
MAX_EXAMPLES, MAX_ROWS = 3, 200
#: The least likeness of a guess that is proposed, from 0 to 1.
LIKELY = 0.55


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the file, with examples of its values."""

    name: str
    examples: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(f"“{example[:40]}”" for example in self.examples)
        return f"{self.name} ({shown})" if shown else self.name


@dataclass(frozen=True, slots=True)
class Proposal:
    """A column and the heading that it probably has in the file, or "" if no heading is likely."""

    column: Column
    heading: str
    #: Whether a person has confirmed the heading, or it is a usual one, so that it is not a guess.
    is_known: bool


@dataclass(frozen=True, slots=True)
class Proposals:
    """The file's headings, and a proposal for each column."""

    headings: tuple[Heading, ...]
    proposals: tuple[Proposal, ...]


def propose(sheets: Sequence[Sheet], columns: Sequence[Column], known_headings: Mapping[str, str]) -> Proposals:
    """Return a proposal for each column, with headings of the most likely heading row.

    `known_headings` has the columns of headings that people confirmed. Two columns never get the same heading.
    """
    heading_row, below = _heading_row(sheets, columns, known_headings)
    names = [text(cell) for cell in heading_row.cells]
    values = [_values(below, index) for index in range(len(names))]
    known_index_by_code = find_columns(heading_row, below, columns, known_headings)
    index_by_code = dict(known_index_by_code)

    guesses = [
        _Guess(score=likeness(column, names[index], values[index]), column=column, index=index)
        for column in columns
        if column.code not in index_by_code
        for index in range(len(names))
        if names[index] and index not in index_by_code.values()
    ]
    # The best guesses come first and, of equal ones, those for required columns.
    guesses.sort(key=lambda guess: (-guess.score, not guess.column.required, guess.column.code, guess.index))
    for guess in guesses:
        is_free = guess.column.code not in index_by_code and guess.index not in index_by_code.values()
        if guess.score >= LIKELY and is_free:
            index_by_code[guess.column.code] = guess.index

    headings = [
        Heading(name=name, examples=tuple(values[index][:MAX_EXAMPLES])) for index, name in enumerate(names) if name
    ]
    proposals = [
        Proposal(
            column=column,
            heading=names[index_by_code[column.code]] if column.code in index_by_code else "",
            is_known=column.code in known_index_by_code,
        )
        for column in columns
    ]
    return Proposals(headings=tuple(headings), proposals=tuple(proposals))


@dataclass(frozen=True, slots=True)
class _Guess:
    """How likely it is that the heading at an index belongs to a column, from 0 to 1."""

    score: float
    column: Column
    index: int


def _heading_row(
    sheets: Sequence[Sheet], columns: Sequence[Column], known_headings: Mapping[str, str]
) -> tuple[Row, Sequence[Row]]:
    """Return the most likely heading row and the rows below it.

    The row is near the top of a sheet. Rows are ranked by the number of required columns, then of cells with words,
    and then of columns.
    """
    required_codes = {column.code for column in columns if column.required}
    best_row = Row(0, ())
    best_below: Sequence[Row] = ()
    best_score = (-1, -1, -1)
    for sheet in sheets:
        for index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
            below = sheet.rows[index + 1 :]
            index_by_code = find_columns(row, below, columns, known_headings)
            word_count = sum(isinstance(cell, str) and any(mark.isalpha() for mark in cell) for cell in row.cells)
            score = (len(required_codes & index_by_code.keys()), word_count, len(index_by_code))
            if score > best_score:
                best_row, best_below, best_score = row, below, score
    return best_row, best_below


def _values(rows: Iterable[Row], index: int) -> list[str]:
    """Return the different values in a column, in the order of the rows."""
    values = (text(row.cells[index]) for row in list(rows)[:MAX_ROWS] if index < len(row.cells))
    return list(dict.fromkeys(value for value in values if value))


def likeness(column: Column, heading: str, values: Sequence[str]) -> float:
    """Return how likely it is that a heading belongs to a column, from 0 to 1.

    The words of the heading count and, if the column has a pattern of values, the share of values that match it.
    """
    canonical_heading = canonical(heading)
    known_headings = [re.sub(r"\\d|[^a-z0-9]", "", pattern) for pattern in column.patterns]
    likeness_of_words = max(
        SequenceMatcher(None, canonical_heading, known_heading).ratio()
        for known_heading in (*known_headings, canonical(column.shown))
    )
    if not column.values or not values:
        return likeness_of_words
    matching = sum(re.fullmatch(column.values, value, re.IGNORECASE) is not None for value in values)
    share = matching / len(values)
    return 0.0 if share < 0.5 else 0.35 * likeness_of_words + 0.65 * share
