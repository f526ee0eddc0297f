"""Count the records of a table that shows only the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from partnerships.reports.snapshot import Row


def count_records(records: QuerySet[Any], rows: Sequence[Row], *, limit: int) -> int:
    """Return the number of records. `rows` are the rows of the table, which has at most `limit` of them.

    The database counts only if the table is full: otherwise the rows are all records.
    """
    return records.count() if len(rows) == limit else len(rows)
