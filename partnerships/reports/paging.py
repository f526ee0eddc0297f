"""Long tables on pages: 25 rows at a time, by a parameter of the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from partnerships.reports.snapshot import Row, Table

#: Rows of a long table on one page.
ROWS_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Pages:
    """Which rows of a long table are shown, and the addresses of those before and after."""

    words: str
    previous: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Paging:
    """How a page shows long tables: the parameters of its address. `page-areas=3` is the third page of a table."""

    parameters: QueryDict

    def number(self, code: str) -> int:
        """The page of a table, from 1."""
        asked = self.parameters.get(f"page-{code}", "1")
        return max(int(asked), 1) if asked.isdecimal() and len(asked) < 6 else 1

    def address(self, code: str, number: int) -> str:
        """The address with another page of a table."""
        changed = self.parameters.copy()
        changed.pop(f"page-{code}", None)
        if number > 1:
            changed[f"page-{code}"] = str(number)
        return f"?{changed.urlencode()}"


def paged(table: Table, paging: Paging) -> tuple[Sequence[Row], Pages | None]:
    """The rows of the page that is asked for; beyond the last one, those of the last."""
    if len(table.rows) <= ROWS_A_PAGE:
        return table.rows, None
    last = -(-len(table.rows) // ROWS_A_PAGE)
    number = min(paging.number(table.code), last)
    first = (number - 1) * ROWS_A_PAGE
    rows = table.rows[first : first + ROWS_A_PAGE]
    words = f"Rows {first + 1:,} to {first + len(rows):,} of {len(table.rows):,}"
    place = f"#table-{table.code}"
    return rows, Pages(
        words,
        paging.address(table.code, number - 1) + place if number > 1 else "",
        paging.address(table.code, number + 1) + place if number < last else "",
    )
