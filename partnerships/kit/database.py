"""What holds of the connection to the database."""

from __future__ import annotations

from django.db import connection


def keeps_statements() -> bool:
    """Whether a statement that is planned once stays planned: behind PgBouncer, a connection is another's the next
    moment."""
    return not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
