"""Count the records of a table that shows only the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from partnerships.reports.snapshot import Row


def count_records(records: QuerySet[Any], rows: Sequence[Row], *, limit: int) -> int:
    """Return the number of all records. A table shows only the first `limit` of them.

    `rows` are the rows of the table. If there are fewer than `limit`, they are all the records, and no query is needed.
    """
    return records.count() if len(rows) == limit else len(rows)
