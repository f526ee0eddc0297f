"""Who may open each page of search. The other modules test what people find."""

from __future__ import annotations

from tests.support.access import Row, everyone

ROWS = (
    Row("search:search", get=everyone()),
    Row("search:search", get=everyone(), query="?q=estuary"),
    Row("search:search", get=everyone(), query="?q=homes&kind=site&year=2026"),
    Row("search:suggestions", get=everyone(), query="?q=est"),
)
