"""Copies of a list as other people might write it."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from typing import Any

import openpyxl

#: The heading and the rows of a list.
Rows = list[list[Any]]


def _renamed(rows: Rows) -> Rows:
    return [[name.replace("_", " ").replace("-", " ").upper() for name in rows[0]], *rows[1:]]


def _reordered(rows: Rows) -> Rows:
    order = random.Random(18).sample(range(len(rows[0])), len(rows[0]))
    return [[row[index] for index in order] for row in rows]


def _doubled(rows: Rows) -> Rows:
    return [rows[0], *(row for row in rows[1:] for _ in range(2))]


def _titled(rows: Rows) -> Rows:
    return [["Published list"], ["As at 28 February 2023"], [], *rows]


def _unchanged(rows: Rows) -> Rows:
    return rows


def _text(rows: Rows, encoding: str) -> bytes:
    csv_text = io.StringIO(newline="")
    csv.writer(csv_text).writerows(rows)
    return csv_text.getvalue().encode(encoding)


def _workbook(rows: Rows, *, merged: bool) -> bytes:
    """Return the rows as an Excel workbook.

    With `merged`, equal values below one another are one merged cell, as people lay out groups.
    """
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    if merged:
        start = next(number for number, row in enumerate(rows, start=1) if len(row) > 1)
        for column in range(1, len(rows[start - 1]) + 1):
            first = start + 1
            for number in range(start + 1, len(rows) + 1):
                last = number == len(rows)
                if last or rows[number][column - 1] != rows[number - 1][column - 1] or not rows[number - 1][column - 1]:
                    if number > first:
                        sheet.merge_cells(start_row=first, end_row=number, start_column=column, end_column=column)
                    first = number + 1
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


#: Functions that alter the rows of a list and that write the rows as a file, by the name of the copy.
ALTERED: dict[str, tuple[Callable[[Rows], Rows], Callable[[Rows], bytes]]] = {
    "headings renamed": (_renamed, lambda rows: _text(rows, "utf-8")),
    "columns reordered": (_reordered, lambda rows: _text(rows, "utf-8")),
    "rows doubled": (_doubled, lambda rows: _text(rows, "utf-8")),
    "a title": (_titled, lambda rows: _text(rows, "utf-8-sig")),
    "Windows-1252": (_unchanged, lambda rows: _text(rows, "cp1252")),
    "UTF-16": (_unchanged, lambda rows: _text(rows, "utf-16")),
    "workbook": (_titled, lambda rows: _workbook(rows, merged=False)),
    "merged cells": (_titled, lambda rows: _workbook(rows, merged=True)),
}


def altered(rows: Rows, how: str) -> bytes:
    """Return a copy of the list, altered in one of the ways of `ALTERED`."""
    alter, write = ALTERED[how]
    return write(alter(rows))
