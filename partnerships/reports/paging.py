"""Pages of long tables: 25 rows at a time, chosen by a parameter of the URL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from partnerships.reports.snapshot import Row, Table

#: The number of rows of a long table on one page.
ROWS_A_PAGE = 25
#: The most digits of a page number. Longer numbers are ignored.
_MAX_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Pages:
    """The rows of a long table that are shown, in words, and the URLs of the previous and the next rows."""

    words: str
    previous: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Paging:
    """The parameters of a report's URL, which choose the page of each table: `page-areas=3` for the third."""

    parameters: QueryDict

    def page_number(self, code: str) -> int:
        """Return the number of the chosen page of the table with this code, from 1."""
        value = self.parameters.get(f"page-{code}", "1")
        is_valid = value.isdecimal() and len(value) <= _MAX_DIGITS
        return max(int(value), 1) if is_valid else 1

    def url(self, code: str, page_number: int) -> str:
        """Return the URL with another page of the table, relative to the report's page."""
        parameters = self.parameters.copy()
        parameters.pop(f"page-{code}", None)
        if page_number > 1:
            parameters[f"page-{code}"] = str(page_number)
        return f"?{parameters.urlencode()}#table-{code}"


def paged(table: Table, paging: Paging) -> tuple[Sequence[Row], Pages | None]:
    """Return the rows of the chosen page, and links to the other pages.

    If there are fewer pages, the last page is returned. A short table has all its rows and no links.
    """
    if len(table.rows) <= ROWS_A_PAGE:
        return table.rows, None
    last_page = math.ceil(len(table.rows) / ROWS_A_PAGE)
    page_number = min(paging.page_number(table.code), last_page)
    start = (page_number - 1) * ROWS_A_PAGE
    rows = table.rows[start : start + ROWS_A_PAGE]
    pages = Pages(
        words=f"Rows {start + 1:,} to {start + len(rows):,} of {len(table.rows):,}",
        previous=paging.url(table.code, page_number - 1) if page_number > 1 else "",
        next=paging.url(table.code, page_number + 1) if page_number < last_page else "",
    )
    return rows, pages
