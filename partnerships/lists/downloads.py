"""Files of a list: every row that the filters find, with typed cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponseBase

from partnerships.kit.exports import csv_response, name_asked
from partnerships.kit.lists import Column
from partnerships.kit.workbooks import ods_response, xlsx_response
from partnerships.lists.reading import Asked

#: Formats by the ending of the file's name.
FORMATS = {"csv": "CSV", "xlsx": "Excel", "ods": "OpenDocument"}
#: What the log of exports says in place of typed words.
_TYPED = "*"
#: Rows that are made ready at once.
_BATCH = 500


class TooManyRows(Exception):
    """The list has more rows than a file may have."""


def columns_of(asked: Asked) -> Sequence[Column]:
    """The columns of a file: those that were chosen, otherwise all."""
    return asked.columns if asked.has_chosen_columns else asked.definition.columns


def headings_of(asked: Asked) -> list[str]:
    """The headings of a file; the last column has the address of each record."""
    return [*(column.label for column in columns_of(asked)), "Address"]


def rows_of(asked: Asked, limit: int) -> Iterator[list[Any]]:
    """The cells of each row, in the order of the list. Raises `TooManyRows`."""
    columns, definition = columns_of(asked), asked.definition
    found = list(asked.sortable().order_by(*asked.sorting)[: limit + 1])
    if len(found) > limit:
        raise TooManyRows
    for start in range(0, len(found), _BATCH):
        batch = found[start : start + _BATCH]
        definition.make_ready(asked.reader, batch, columns)
        for row in batch:
            yield [*(column.value(row) for column in columns), f"{settings.SITE_ORIGIN}{row.get_absolute_url()}"]


def file_response(asked: Asked, form: str, limit: int) -> HttpResponseBase:
    """A download of the list in one of the `FORMATS`. Raises `TooManyRows`."""
    response = _file(asked, form, limit)
    name_asked(response, in_the_log(asked, form))
    return response


def in_the_log(asked: Asked, form: str) -> str:
    """What the log of exports says of it: `asks.csv?theme=land`. Words that somebody typed may be about a person."""
    kept = asked.parameters.copy()
    for name in kept:
        if type(asked.form.fields.get(name)) is forms.CharField:
            kept[name] = _TYPED
    return f"{asked.definition.slug}.{form}?{kept.urlencode(safe=_TYPED)}".removesuffix("?")


def _file(asked: Asked, form: str, limit: int) -> HttpResponseBase:
    headings, rows = headings_of(asked), list(rows_of(asked, limit))
    name = f"{asked.definition.slug}.{form}"
    if form == "csv":
        return csv_response(name, headings, rows)
    if form == "ods":
        return ods_response(name, asked.definition.title, [headings, *rows])
    return xlsx_response(name, [(asked.definition.title, [headings, *rows])])
