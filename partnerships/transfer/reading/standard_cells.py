"""Convert a row to and from texts by the fields of its standard, so that the row can be published again."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from partnerships.open_data.standards import DATASETS
from partnerships.transfer.reading.headings import Column, Line, find_columns
from partnerships.transfer.reading.tables import Row
from partnerships.transfer.reading.values import text

#: Fields with codes of areas. In older files, these columns have keys of authorities.
_AREA_FIELDS = frozenset({"local-planning-authorities", "minerals-and-waste-planning-authorities"})


def cells_by_field(line: Line, dataset: str, columns: tuple[Column, ...]) -> dict[str, str]:
    """Return the texts of the row by the fields of the dataset.

    Fields that the file does not have are left out, and so are keys of authorities where codes of areas belong.
    """
    cells = {}
    for field, code in _column_codes(dataset, columns):
        if code not in line.index_by_code:
            continue
        cell = line[code]
        value = cell.replace("\x00", "") if isinstance(cell, str) else text(cell)
        if field in _AREA_FIELDS and not re.fullmatch(r"(E\d{8}(;E\d{8})*)?", value):
            continue
        cells[field] = value
    return cells


def lines_from_cells(
    rows: Iterable[tuple[int, Mapping[str, str]]], dataset: str, columns: tuple[Column, ...]
) -> list[Line]:
    """Return saved texts as lines of a table with their row numbers, which reverses `cells_by_field`."""
    lines = []
    for number, cells in rows:
        code_by_field = {field: code for field, code in _column_codes(dataset, columns) if field in cells}
        lines.append(
            Line(
                number=number,
                cells=tuple(cells[field] for field in code_by_field),
                index_by_code={code: index for index, code in enumerate(code_by_field.values())},
                sheet="",
            )
        )
    return lines


def date_in_cells(cells: Mapping[str, str], field: str) -> dt.date | None:
    """Return the date in a saved cell, or None if the cell has no valid date."""
    try:
        return dt.date.fromisoformat(cells.get(field, ""))
    except ValueError:
        return None


@lru_cache
def _column_codes(dataset: str, columns: tuple[Column, ...]) -> tuple[tuple[str, str], ...]:
    """Return pairs of a field of the dataset and the code of its column."""
    fields = DATASETS[dataset].headings
    index_by_code = find_columns(Row(1, fields), [], columns)
    return tuple((fields[index], code) for code, index in index_by_code.items())
