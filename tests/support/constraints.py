"""What PostgreSQL leaves to the commit, which no test reaches: checks of rows, and the numbers of changes."""

from __future__ import annotations

import pgtrigger
from django.db import connection


def number_at_once() -> None:
    """Number each change of this transaction when it happens."""
    pgtrigger.constraints(pgtrigger.Immediate, "activity.Event:to_number", "activity.Unnumbered:number")


def check_once() -> None:
    """Check every row of this transaction, and number its changes.

    Of what many tests share, this is done once: Django would do it again at the end of each.
    """
    connection.check_constraints()
