"""Access table of search; test_search checks what people find."""

from __future__ import annotations

from tests.support.access import Row, everyone

ROWS = (
    Row("search:search", get=everyone()),
    Row("search:search", get=everyone(), query="?q=estuary"),
)
