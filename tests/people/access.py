"""Who may open the pages about accounts and privacy."""

from __future__ import annotations

from tests.access import Row, everyone, public

ROWS = (
    Row("people:account", get=everyone()),
    Row("people:details", get=everyone(), post=everyone(422)),
    Row("people:own-data", get=everyone()),
    Row("people:privacy", get=public()),
    Row("people:cookies", get=public()),
    Row("people:accessibility", get=public()),
)
