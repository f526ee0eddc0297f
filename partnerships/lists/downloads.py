"""Write the matching rows of a list to a file, with dates and numbers as spreadsheets need them."""

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
from partnerships.lists.reading import Listing

#: Formats by the ending of the file's name.
FORMATS = {"csv": "CSV", "xlsx": "Excel", "ods": "OpenDocument"}
#: Content types by format.
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX, "ods": ODS}
#: Replaces words that the reader typed, in the log of exports.
_TYPED_WORDS = "*"
#: A file has at most this many rows, because a worker has the whole file in memory.
MAX_ROWS = 200_000
#: Rows are read in batches of this size, with their related records.
_BATCH = 500


class TooManyRows(Exception):
    """The list has more rows than a file may have."""


def columns_of(listing: Listing) -> Sequence[Column]:
    """Return the columns of a file: the columns that the reader chose, or else all."""
    return listing.columns if listing.has_chosen_columns else listing.definition.columns


def headings_of(listing: Listing) -> list[str]:
    """Return the headings of a file. The last column has the address of each record."""
    return [*(column.label for column in columns_of(listing)), "Address"]


def count_of(listing: Listing) -> int:
    """Return how many rows a file would have. Counting stops at one more than `MAX_ROWS`."""
    return listing.matching_rows().order_by()[: MAX_ROWS + 1].count()


def cells_of_rows(listing: Listing, limit: int, ids: Collection[int] = ()) -> Iterator[list[Any]]:
    """Yield the cells of each row, or only of rows with these ids, in the order of the list.

    Raises `TooManyRows` if there are more rows than `limit`.
    """
    rows_to_export = listing.sortable().filter(pk__in=ids) if ids else listing.sortable()
    # Sorting a very long list is slow, so its rows are counted first.
    may_be_very_long = listing.definition.max_sorted is not None
    if may_be_very_long and rows_to_export.order_by()[: limit + 1].count() > limit:
        raise TooManyRows
    exported_rows = list(rows_to_export.order_by(*listing.sorting)[: limit + 1])
    if len(exported_rows) > limit:
        raise TooManyRows
    for start in range(0, len(exported_rows), _BATCH):
        yield from _cells(listing, exported_rows[start : start + _BATCH])


def cells_of_all_rows(listing: Listing) -> Iterator[tuple[int, list[Any]]]:
    """Yield the id and cells of every row, in the order of the list. Rows are read in batches to save memory."""
    ids = list(listing.sortable().order_by(*listing.sorting).values_list("pk", flat=True))
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        # Filter the rows again, because a row may have been changed or deleted since the ids were read.
        row_by_id = {row.pk: row for row in listing.matching_rows().filter(pk__in=batch)}
        existing_rows = [row_by_id[pk] for pk in batch if pk in row_by_id]
        yield from zip((row.pk for row in existing_rows), _cells(listing, existing_rows), strict=True)


def _cells(listing: Listing, rows: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the cells of each row, which are the values of its columns and its address."""
    columns = columns_of(listing)
    listing.definition.make_ready(listing.reader, rows, columns)
    for row in rows:
        yield [*(column.value(row) for column in columns), f"{settings.SITE_ORIGIN}{row.get_absolute_url()}"]


def file_bytes(listing: Listing, file_format: str, progress: Progress) -> tuple[bytes, list[int]]:
    """Return the content of a file with every row, and the ids of the rows. `file_format` is one of `FORMATS`."""
    ids: list[int] = []
    total = count_of(listing)

    def rows_with_progress() -> Iterator[list[Any]]:
        for row_id, cells in cells_of_all_rows(listing):
            ids.append(row_id)
            progress(len(ids), total)
            yield cells

    title, headings = listing.definition.title, headings_of(listing)
    if file_format == "csv":
        return "".join(csv_lines(headings, rows_with_progress())).encode(), ids
    lines = chain([headings], rows_with_progress())
    return (ods_bytes(title, lines) if file_format == "ods" else xlsx_bytes([(title, lines)])), ids


def file_response(listing: Listing, file_format: str, limit: int, ids: Collection[int] = ()) -> HttpResponseBase:
    """Return a download of the list, or of the rows with these ids, in one of `FORMATS`. Raises `TooManyRows`."""
    response = _file(listing, file_format, limit, ids)
    describe_export(response, log_entry(listing, file_format, len(ids)))
    return response


def log_entry(listing: Listing, file_format: str, chosen_count: int = 0) -> str:
    """Return the line about this file for the log of exports, for example `asks.csv?theme=land`.

    Words that the reader typed are replaced, because they may be about a person.
    """
    parameters = listing.parameters.copy()
    for name in parameters:
        # Only plain text fields contain words that the reader typed.
        if type(listing.form.fields.get(name)) is forms.CharField:
            parameters[name] = _TYPED_WORDS
    if chosen_count:
        parameters["chosen"] = str(chosen_count)
    return f"{listing.definition.slug}.{file_format}?{parameters.urlencode(safe=_TYPED_WORDS)}".removesuffix("?")


def _file(listing: Listing, file_format: str, limit: int, ids: Collection[int]) -> HttpResponseBase:
    """Return the file in its format as a response."""
    headings, rows = headings_of(listing), list(cells_of_rows(listing, limit, ids))
    name = f"{listing.definition.slug}.{file_format}"
    if file_format == "csv":
        return csv_response(name, headings, rows)
    if file_format == "ods":
        return ods_response(name, listing.definition.title, [headings, *rows])
    return xlsx_response(name, [(listing.definition.title, [headings, *rows])])
