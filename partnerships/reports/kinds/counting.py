"""Count the records of a list that shows only the first ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from partnerships.reports.snapshot import Row


def number_of(records: QuerySet[Any], rows: Sequence[Row], *, limit: int) -> int:
    """Return how many records there are; the table shows `rows` of them, at most `limit`.

    The database counts only if the table is full: otherwise the rows are all there are.
    """
    return records.count() if len(rows) == limit else len(rows)
