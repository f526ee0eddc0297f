"""Pages of long tables, each of 25 rows, which a parameter of the URL chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from partnerships.reports.snapshot import Row, Table

#: The number of rows of a long table on one page.
ROWS_A_PAGE = 25
#: A page number has at most this many digits. Longer numbers are ignored.
_MAX_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Pages:
    """The range of rows on a page, such as “Rows 26 to 50 of 312”, and the URLs of the previous and next pages."""

    words: str
    previous: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Paging:
    """The parameters of a report's URL. For example, `page-areas=3` chooses the third page of the table `areas`."""

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


def rows_of_page(table: Table, paging: Paging) -> tuple[Sequence[Row], Pages | None]:
    """Return the rows of the chosen page, and links to the other pages.

    If the number is too high, the last page is returned. A short table has all its rows on one page, without links.
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
