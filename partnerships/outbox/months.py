"""Groups emails by the month of their partition, so that SQL statements read only one partition.

The id of an email begins with its month (see docs/outbox.md). Statements that look up emails by id contain the month as
a literal. PostgreSQL therefore plans them for one partition, and only once for each connection, however many partitions
there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

#: How many bits of an id are below its month.
MONTH_BITS = 40

_Row = TypeVar("_Row")


def rows_by_month(rows: Iterable[_Row], *, key: Callable[[_Row], int]) -> dict[str, list[_Row]]:
    """Group rows by the month of the email to which each belongs. `key` returns the id of this email.

    The keys of the result are SQL conditions on an email `e`.
    """
    rows_by_month: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        rows_by_month[key(row) >> MONTH_BITS].append(row)
    return {month_condition(month): month_rows for month, month_rows in rows_by_month.items()}


def month_condition(month: int) -> str:
    """Return the SQL condition for one month. Month 0 is for ids from before the table was partitioned."""
    return f"e.id >= {month << MONTH_BITS} AND e.id < {(month + 1) << MONTH_BITS} AND e.id = ANY(%(ids)s)"
