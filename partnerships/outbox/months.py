"""Numbers of emails, and the months of their partitions.

A number begins with its month (see docs/outbox.md). Statements that look emails up by number name the month literally,
so that PostgreSQL plans them for one partition, once a connection, however many partitions there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

#: The bits of a number below its month.
MONTH_BITS = 40

_Row = TypeVar("_Row")


def by_month(rows: Iterable[_Row], *, key: Callable[[_Row], int]) -> dict[str, list[_Row]]:
    """Rows by month, each with an SQL condition on the number of email `e`."""
    rows_by_month: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        rows_by_month[key(row) >> MONTH_BITS].append(row)
    return {condition(month): month_rows for month, month_rows in rows_by_month.items()}


def condition(month: int) -> str:
    """The condition for one month; 0 is for numbers without a month."""
    return f"e.id >= {month << MONTH_BITS} AND e.id < {(month + 1) << MONTH_BITS} AND e.id = ANY(%(ids)s)"
