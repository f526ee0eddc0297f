"""Guess the columns of a file's own headings, from their words and values. A person confirms the guesses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from partnerships.transfer.reading.headings import (
    HEADING_WITHIN,
    Column,
    canonical,
    find_places,
)
from partnerships.transfer.reading.tables import Row, Sheet
from partnerships.transfer.reading.values import text

#: Values shown for each heading, and rows looked at.
MAX_EXAMPLES, MAX_ROWS = 3, 200
#: A guess needs this much likeness, from 0 to 1.
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
    """A column, and the heading that it probably has in the file; "" if there is none."""

    column: Column
    heading: str
    #: Whether the heading is known, and not a guess.
    is_known: bool


@dataclass(frozen=True, slots=True)
class Proposals:
    """The file's headings, and a proposal for each column."""

    headings: tuple[Heading, ...]
    proposals: tuple[Proposal, ...]


def propose(sheets: Sequence[Sheet], columns: Sequence[Column], known_headings: Mapping[str, str]) -> Proposals:
    """Return a proposal for each column, from the most likely heading row.

    `known_headings` has the columns of headings that people confirmed. Two columns never get the same heading.
    """
    heading_row, below = _heading_row(sheets, columns, known_headings)
    names = [text(cell) for cell in heading_row.cells]
    values = [_values(below, index) for index in range(len(names))]
    known_places = find_places(heading_row, below, columns, known_headings)
    places = dict(known_places)

    guesses = [
        _Guess(score=likeness(column, names[index], values[index]), column=column, index=index)
        for column in columns
        if column.code not in places
        for index in range(len(names))
        if names[index] and index not in places.values()
    ]
    # The best guesses first; required columns before others.
    guesses.sort(key=lambda guess: (-guess.score, not guess.column.required, guess.column.code, guess.index))
    for guess in guesses:
        if guess.score >= LIKELY and guess.column.code not in places and guess.index not in places.values():
            places[guess.column.code] = guess.index

    headings = [
        Heading(name=name, examples=tuple(values[index][:MAX_EXAMPLES])) for index, name in enumerate(names) if name
    ]
    proposals = [
        Proposal(
            column=column,
            heading=names[places[column.code]] if column.code in places else "",
            is_known=column.code in known_places,
        )
        for column in columns
    ]
    return Proposals(headings=tuple(headings), proposals=tuple(proposals))


@dataclass(frozen=True, slots=True)
class _Guess:
    """How likely the heading at an index is a column, from 0 to 1."""

    score: float
    column: Column
    index: int


def _heading_row(
    sheets: Sequence[Sheet], columns: Sequence[Column], known_headings: Mapping[str, str]
) -> tuple[Row, Sequence[Row]]:
    """Return the most likely heading row and the rows below it.

    It is the row near the top of a sheet with the most required columns, then with the most cells that have words, and
    then with the most columns.
    """
    required_codes = {column.code for column in columns if column.required}
    best_row = Row(0, ())
    best_below: Sequence[Row] = ()
    best_score = (-1, -1, -1)
    for sheet in sheets:
        for index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
            below = sheet.rows[index + 1 :]
            places = find_places(row, below, columns, known_headings)
            word_count = sum(isinstance(cell, str) and any(mark.isalpha() for mark in cell) for cell in row.cells)
            score = (len(required_codes & places.keys()), word_count, len(places))
            if score > best_score:
                best_row, best_below, best_score = row, below, score
    return best_row, best_below


def _values(rows: Iterable[Row], index: int) -> list[str]:
    """Return the different values of a column, in their order."""
    values = (text(row.cells[index]) for row in list(rows)[:MAX_ROWS] if index < len(row.cells))
    return list(dict.fromkeys(value for value in values if value))


def likeness(column: Column, heading: str, values: Sequence[str]) -> float:
    """Return how likely a heading is a column, from 0 to 1.

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
