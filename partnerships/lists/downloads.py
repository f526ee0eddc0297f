"""Files of a list: every row that the filters find, with typed cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase

from partnerships.kit.exports import csv_response
from partnerships.kit.lists import Column
from partnerships.kit.workbooks import ods_response, xlsx_response
from partnerships.lists.reading import Asked

#: Formats by the ending of the file's name.
FORMATS = {"csv": "CSV", "xlsx": "Excel", "ods": "OpenDocument"}
#: Rows that are made ready at once.
_BATCH = 500


def columns_of(asked: Asked) -> Sequence[Column]:
    """The columns of a file: those that were chosen, otherwise all."""
    return asked.columns if asked.has_chosen_columns else asked.definition.columns


def headings_of(asked: Asked) -> list[str]:
    """The headings of a file; the last column has the address of each record."""
    return [*(column.label for column in columns_of(asked)), "Address"]


def rows_of(asked: Asked, limit: int) -> Iterator[list[Any]]:
    """The cells of each row, in the order of the list."""
    columns, definition = columns_of(asked), asked.definition
    found = list(asked.sortable().order_by(*asked.sorting)[:limit])
    for start in range(0, len(found), _BATCH):
        batch = found[start : start + _BATCH]
        definition.make_ready(asked.reader, batch, columns)
        for row in batch:
            yield [*(column.value(row) for column in columns), f"{settings.SITE_ORIGIN}{row.get_absolute_url()}"]


def file_response(asked: Asked, form: str, limit: int) -> HttpResponseBase:
    """A download of the list in one of the `FORMATS`."""
    headings, rows = headings_of(asked), list(rows_of(asked, limit))
    name = f"{asked.definition.slug}.{form}"
    if form == "csv":
        return csv_response(name, headings, rows)
    if form == "ods":
        return ods_response(name, asked.definition.title, [headings, *rows])
    return xlsx_response(name, [(asked.definition.title, [headings, *rows])])
