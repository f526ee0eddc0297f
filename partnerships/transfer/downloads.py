"""The rows of an import that were set aside, as files to correct.

`labels` say what each of the list's files is; empty if the list is one file.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpResponseBase

from partnerships.kit.exports import csv_response
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reporting import files_to_correct, rows_to_correct


def to_correct(run: ImportRun, labels: Sequence[str]) -> list[tuple[int, str]]:
    """The files with rows set aside.

    The place of each, and what it is if there are several.
    """
    return [(place, f" of the {labels[place]}" if len(labels) > 1 else "") for place in files_to_correct(run.report)]


def rows_set_aside(run: ImportRun, labels: Sequence[str], wanted: str) -> HttpResponseBase:
    """The rows of the file at the wanted place (`?file=1`), with the reason and remedy of each; else 404."""
    place = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 3 else 0
    if place not in files_to_correct(run.report):
        raise Http404
    heading, rows = rows_to_correct(run.report, place)
    part = f"-{labels[place]}" if len(labels) > 1 else ""
    return csv_response(f"set-aside-{run.register}{part}-{run.as_of or 'undated'}.csv", heading, rows)
