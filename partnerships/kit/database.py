"""What holds of the connection to the database."""

from __future__ import annotations

from django.db import connection

#: Before statements about a few rows of large tables: whatever the planner last knew of how many there are, each is
#: found by its index, by one process (to start others takes longer than most statements), and nothing is compiled.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off"


def keeps_statements() -> bool:
    """Whether a statement that is planned once stays planned: behind PgBouncer, a connection is another's the next
    moment."""
    return not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
