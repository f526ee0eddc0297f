"""The texts of a row under the fields of a standard, to write it again."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from partnerships.open_data.standards import DATASETS
from partnerships.transfer.reading.headings import Column, Line, find_places
from partnerships.transfer.reading.tables import Row
from partnerships.transfer.reading.values import text

#: These fields have codes of areas; older files name authorities in another way.
_AREAS = frozenset({"local-planning-authorities", "minerals-and-waste-planning-authorities"})


def cells_of(line: Line, dataset: str, columns: tuple[Column, ...]) -> dict[str, str]:
    """The texts of the row as in the file, by field of the dataset.

    A field is left out if the file has no such column, or names authorities otherwise than by the codes of their areas.
    """
    cells = {}
    for field, code in _codes(dataset, columns):
        if code not in line.places:
            continue
        cell = line[code]
        value = cell.replace("\x00", "") if isinstance(cell, str) else text(cell)
        if field in _AREAS and not re.fullmatch(r"(E\d{8}(;E\d{8})*)?", value):
            continue
        cells[field] = value
    return cells


def lines_of(rows: Iterable[tuple[int, Mapping[str, str]]], dataset: str, columns: tuple[Column, ...]) -> list[Line]:
    """Rows that were kept, by number, as lines of their file: the reverse of `cells_of`."""
    lines = []
    for number, cells in rows:
        codes = {field: code for field, code in _codes(dataset, columns) if field in cells}
        places = {code: place for place, code in enumerate(codes.values())}
        lines.append(Line(number, tuple(cells[field] for field in codes), places, ""))
    return lines


def day_in(cells: Mapping[str, str], field: str) -> dt.date | None:
    """The day in a cell of a row that was kept; None if it holds none."""
    try:
        return dt.date.fromisoformat(cells.get(field, ""))
    except ValueError:
        return None


@lru_cache
def _codes(dataset: str, columns: tuple[Column, ...]) -> tuple[tuple[str, str], ...]:
    """Each field of the dataset with the code of its column."""
    headings = DATASETS[dataset].headings
    return tuple((headings[at], code) for code, at in find_places(Row(1, headings), [], columns).items())
