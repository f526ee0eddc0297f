"""A pretended standby, which is a second database of Django's on the test's connection, with the test's changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext

from partnerships.kit import standby


@contextmanager
def standby_up_to_date() -> Iterator[CaptureQueriesContext]:
    """Add a standby that has caught up with the primary within the block, and yield the queries that it received."""
    with _standby_with(_answer("")) as standby_queries:
        yield standby_queries


@contextmanager
def standby_behind() -> Iterator[CaptureQueriesContext]:
    """Add a standby that has not caught up within the block, and yield the queries that it received."""
    with _standby_with(_answer("behind")) as standby_queries:
        yield standby_queries


@contextmanager
def standby_promoted() -> Iterator[CaptureQueriesContext]:
    """Add a standby that was promoted to a primary within the block, and yield the queries that it received."""
    # The test's own database is a primary, so the real statement finds that it was promoted.
    with _standby_with(standby.WHY_BEHIND) as standby_queries:
        yield standby_queries


@contextmanager
def standby_away() -> Iterator[None]:
    """Add a standby that cannot be reached within the block."""
    connection_copy = connection.copy(alias=standby.STANDBY)
    refused = OperationalError("connection refused")
    with _registered(connection_copy), patch.object(connection_copy, "ensure_connection", side_effect=refused):
        yield


def _answer(reason: str) -> str:
    """Return a statement that takes a position, and answers why the standby is behind it ("" if it is not)."""
    return f"SELECT '{reason}' WHERE (%s, %s, %s) IS NOT NULL"


@contextmanager
def _standby_with(why_behind: str) -> Iterator[CaptureQueriesContext]:
    """Add a standby that is asked with this statement why it is behind; yield the queries that it received."""
    connection_copy = connection.copy(alias=standby.STANDBY)
    connection_copy.connection = connection.connection  # of the same session, which does not commit
    with (
        _registered(connection_copy),
        patch.object(standby, "WHY_BEHIND", why_behind),
        patch.object(standby, "WAIT_SECONDS", 0),
        CaptureQueriesContext(connection_copy) as standby_queries,
    ):
        yield standby_queries


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
