"""Files of a list: every row that the filters find, with typed cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponseBase

from partnerships.kit.exports import csv_lines, csv_response, describe_export
from partnerships.kit.leased_jobs import Progress
from partnerships.kit.lists import Column
from partnerships.kit.workbooks import ODS, XLSX, ods_bytes, ods_response, xlsx_bytes, xlsx_response
from partnerships.lists.reading import Asked

#: Formats by the ending of the file's name.
FORMATS = {"csv": "CSV", "xlsx": "Excel", "ods": "OpenDocument"}
#: The content type of each.
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX, "ods": ODS}
#: What the log of exports says in place of typed words.
_TYPED = "*"
#: No file has more rows: a worker holds all of it in memory.
MAX_ROWS = 200_000
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


def count_of(asked: Asked) -> int:
    """How many rows a file would have.

    Above `MAX_ROWS` only that there are more.
    """
    return asked.found().order_by()[: MAX_ROWS + 1].count()


def rows_of(asked: Asked, limit: int, numbers: Collection[int] = ()) -> Iterator[list[Any]]:
    """The cells of each row, in the order of the list.

    Only of those with these numbers, if given.

    Raises `TooManyRows`.
    """
    wanted = asked.sortable().filter(pk__in=numbers) if numbers else asked.sortable()
    is_long = asked.definition.max_sorted is not None  # counted so far before it is sorted
    if is_long and wanted.order_by()[: limit + 1].count() > limit:
        raise TooManyRows
    rows = list(wanted.order_by(*asked.sorting)[: limit + 1])
    if len(rows) > limit:
        raise TooManyRows
    for start in range(0, len(rows), _BATCH):
        yield from _cells(asked, rows[start : start + _BATCH])


def all_rows_of(asked: Asked) -> Iterator[tuple[int, list[Any]]]:
    """The number and cells of every row, however many, in the order of the list; read in parts to save memory."""
    numbers = list(asked.sortable().order_by(*asked.sorting).values_list("pk", flat=True))
    for start in range(0, len(numbers), _BATCH):
        part = numbers[start : start + _BATCH]
        row_by_number = {row.pk: row for row in asked.found().filter(pk__in=part)}
        there = [row_by_number[pk] for pk in part if pk in row_by_number]
        yield from zip((row.pk for row in there), _cells(asked, there), strict=True)


def _cells(asked: Asked, rows: Sequence[Any]) -> Iterator[list[Any]]:
    columns = columns_of(asked)
    asked.definition.make_ready(asked.reader, rows, columns)
    for row in rows:
        yield [*(column.value(row) for column in columns), f"{settings.SITE_ORIGIN}{row.get_absolute_url()}"]


def file_bytes(asked: Asked, form: str, progress: Progress) -> tuple[bytes, list[int]]:
    """The file of every row, and the numbers of these."""
    numbers: list[int] = []
    total = count_of(asked)

    def counted() -> Iterator[list[Any]]:
        for number, cells in all_rows_of(asked):
            numbers.append(number)
            progress(len(numbers), total)
            yield cells

    title, headings = asked.definition.title, headings_of(asked)
    if form == "csv":
        return "".join(csv_lines(headings, counted())).encode(), numbers
    lines = chain([headings], counted())
    return (ods_bytes(title, lines) if form == "ods" else xlsx_bytes([(title, lines)])), numbers


def file_response(asked: Asked, form: str, limit: int, numbers: Collection[int] = ()) -> HttpResponseBase:
    """A download of the list, or of the rows with these numbers, in one of the `FORMATS`. Raises `TooManyRows`."""
    response = _file(asked, form, limit, numbers)
    describe_export(response, in_the_log(asked, form, len(numbers)))
    return response


def in_the_log(asked: Asked, form: str, chosen: int = 0) -> str:
    """What the log of exports says of it: `asks.csv?theme=land`.

    Words that somebody typed may be about a person.
    """
    parameters = asked.parameters.copy()
    for name in parameters:
        if type(asked.form.fields.get(name)) is forms.CharField:
            parameters[name] = _TYPED
    if chosen:
        parameters["chosen"] = str(chosen)
    return f"{asked.definition.slug}.{form}?{parameters.urlencode(safe=_TYPED)}".removesuffix("?")


def _file(asked: Asked, form: str, limit: int, numbers: Collection[int]) -> HttpResponseBase:
    headings, rows = headings_of(asked), list(rows_of(asked, limit, numbers))
    name = f"{asked.definition.slug}.{form}"
    if form == "csv":
        return csv_response(name, headings, rows)
    if form == "ods":
        return ods_response(name, asked.definition.title, [headings, *rows])
    return xlsx_response(name, [(asked.definition.title, [headings, *rows])])
