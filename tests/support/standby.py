"""A pretended standby, which is a second database of Django's on the test's connection, with the test's changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext

from partnerships.kit import standby


@contextmanager
def pretend_standby(*, why_not: str | None = "") -> Iterator[CaptureQueriesContext]:
    """Let a standby answer within the block, and yield the queries that it got.

    `why_not` is the reason why it has not caught up, or "" if it has. With None, it reports its real state, in which
    the test's own database looks like one that was promoted.
    """
    connection_copy = connection.copy(alias=standby.STANDBY)
    connection_copy.connection = connection.connection  # of the same session, which does not commit
    statement = standby._WHY_BEHIND if why_not is None else f"SELECT '{why_not}' WHERE (%s, %s, %s) IS NOT NULL"
    with (
        _registered(connection_copy),
        patch.object(standby, "_WHY_BEHIND", statement),
        patch.object(standby, "WAIT_SECONDS", 0),
        CaptureQueriesContext(connection_copy) as asked,
    ):
        yield asked


@contextmanager
def standby_away() -> Iterator[None]:
    """Make the standby unreachable within the block."""
    connection_copy = connection.copy(alias=standby.STANDBY)
    refused = OperationalError("connection refused")
    with _registered(connection_copy), patch.object(connection_copy, "ensure_connection", side_effect=refused):
        yield


@contextmanager
def _registered(other: object) -> Iterator[None]:
    """Register the database in Django within the block, and forget that the standby did not answer."""
    connections.databases[standby.STANDBY] = other.settings_dict  # type: ignore[attr-defined]
    connections[standby.STANDBY] = other
    try:
        with patch.object(standby, "_away_until", 0.0):
            yield
    finally:
        del connections[standby.STANDBY]
        del connections.databases[standby.STANDBY]
