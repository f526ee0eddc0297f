"""Migrate the test database back to an earlier release, and forward again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.support.kept_rows import forget_snapshots


@contextmanager
def migrated_back(targets: Sequence[tuple[str, str]]) -> Iterator[MigrationExecutor]:
    """Migrate the database of this process back to these migrations, and forward again at the end of the block.

    Yields the executor that migrated back, from whose loader a test gets the old models.
    """
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    try:
        yield executor
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        # Tables that were created again count their ids from 1, below those of the rows in snapshots.
        forget_snapshots()
