"""Who may search: anyone signed in; what they find is tested in test_search."""

from __future__ import annotations

from tests.support.access import Row, everyone

ROWS = (
    Row("search:search", get=everyone()),
    Row("search:search", get=everyone(), query="?q=estuary"),
)
