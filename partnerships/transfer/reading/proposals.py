"""Which of a file's own headings probably means what.

Guesses by words and by values; a person confirms them.
"""

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
    """A heading of the file with its first different values."""

    name: str
    examples: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(f"“{example[:40]}”" for example in self.examples)
        return f"{self.name} ({shown})" if shown else self.name


@dataclass(frozen=True, slots=True)
class Proposal:
    """A meaning with the heading that probably has it; "" if none does."""

    column: Column
    heading: str
    #: Whether the heading is known, not guessed.
    is_known: bool


@dataclass(frozen=True, slots=True)
class Proposals:
    """The file's headings, and a proposal for each meaning."""

    headings: tuple[Heading, ...]
    proposals: tuple[Proposal, ...]


def propose(sheets: Sequence[Sheet], columns: Sequence[Column], known_headings: Mapping[str, str]) -> Proposals:
    """A proposal for each meaning, from the likeliest heading row.

    `known_headings` has those that a person confirmed. Two meanings never get the same heading.
    """
    heading, below = _heading_row(sheets, columns, known_headings)
    names = [text(cell) for cell in heading.cells]
    values = [_values(below, place) for place in range(len(names))]
    places = find_places(heading, below, columns, known_headings)
    taken = set(places.values())
    found = {code: names[place] for code, place in places.items()}
    scores = sorted(
        (
            (likeness(column, names[place], values[place]), not column.required, column.code, place)
            for column in columns
            if column.code not in found
            for place in range(len(names))
            if names[place] and place not in taken
        ),
        key=lambda one: (-one[0], *one[1:]),
    )
    for score, _, code, place in scores:
        if score >= LIKELY and code not in found and place not in taken:
            found[code] = names[place]
            taken.add(place)
    return Proposals(
        tuple(Heading(name, tuple(values[place][:MAX_EXAMPLES])) for place, name in enumerate(names) if name),
        tuple(Proposal(column, found.get(column.code, ""), column.code in places) for column in columns),
    )


def _heading_row(
    sheets: Sequence[Sheet], columns: Sequence[Column], known_headings: Mapping[str, str]
) -> tuple[Row, Sequence[Row]]:
    """The first row with most of the needed headings and most words, near the top."""
    required = {column.code for column in columns if column.required}
    best: tuple[tuple[int, int, int], Row, Sequence[Row]] | None = None
    for sheet in sheets:
        for index, row in enumerate(sheet.rows[:HEADING_WITHIN]):
            below = sheet.rows[index + 1 :]
            words = sum(isinstance(cell, str) and any(mark.isalpha() for mark in cell) for cell in row.cells)
            places = find_places(row, below, columns, known_headings)
            score = len(required & places.keys()), words, len(places)
            if best is None or score > best[0]:
                best = score, row, below
    return (best[1], best[2]) if best else (Row(0, ()), ())


def _values(rows: Iterable[Row], place: int) -> list[str]:
    seen: dict[str, None] = {}
    for row in list(rows)[:MAX_ROWS]:
        if place < len(row.cells) and (value := text(row.cells[place])):
            seen.setdefault(value, None)
    return list(seen)


def likeness(column: Column, heading: str, values: Sequence[str]) -> float:
    """How likely a heading has a meaning, from 0 to 1.

    The words count, and the values where a meaning has values of its own.
    """
    given = canonical(heading)
    words = max(
        (
            SequenceMatcher(None, given, re.sub(r"\\d|[^a-z0-9]", "", pattern)).ratio()
            for pattern in (*column.patterns, canonical(column.shown))
        ),
        default=0.0,
    )
    if not column.values or not values:
        return words
    fitting = sum(re.fullmatch(column.values, value, re.IGNORECASE) is not None for value in values) / len(values)
    return 0.0 if fitting < 0.5 else 0.35 * words + 0.65 * fitting
