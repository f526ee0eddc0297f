"""Downloads of the rows that an import set aside, for correction.

`labels` are the labels of the list's files, such as “plans” and “timetable”. They are empty if the list is one file.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpResponseBase

from partnerships.kit.exports import csv_response
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reporting import files_to_correct, rows_to_correct


def links_to_files_to_correct(run: ImportRun, labels: Sequence[str]) -> list[tuple[int, str]]:
    """Return the index of each file with rows set aside, and the end of its link, such as “ of the timetable”."""
    return [(index, f" of the {labels[index]}" if len(labels) > 1 else "") for index in files_to_correct(run.report)]


def csv_of_rows_set_aside(run: ImportRun, labels: Sequence[str], file: str) -> HttpResponseBase:
    """Return a CSV of the rows of one file that were set aside, each with its reason and remedy.

    `file` is the index of the file, as in the URL parameter `?file=1`. Any other text means the first file.
    Raises Http404 if none of the file's rows were set aside.
    """
    index = int(file) if file.isascii() and file.isdigit() and len(file) < 3 else 0
    if index not in files_to_correct(run.report):
        raise Http404
    heading, rows = rows_to_correct(run.report, index)
    file_label = f"-{labels[index]}" if len(labels) > 1 else ""
    return csv_response(f"set-aside-{run.register}{file_label}-{run.as_of or 'undated'}.csv", heading, rows)
