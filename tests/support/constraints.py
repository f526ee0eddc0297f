"""Check deferred constraints and number changes now, which PostgreSQL otherwise does at the commit."""

from __future__ import annotations

import pgtrigger
from django.db import connection


def number_at_once() -> None:
    """Make the database number each change of this transaction immediately."""
    pgtrigger.constraints(pgtrigger.Immediate, "activity.Event:to_number", "activity.Unnumbered:number")


def check_once() -> None:
    """Check every row of this transaction, and number its changes.

    This is for rows that many tests share, because Django would check them again at the end of each test.
    """
    connection.check_constraints()
