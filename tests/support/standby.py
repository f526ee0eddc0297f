"""A standby in name: a second database of Django's that is the test's own, so that it sees what the test writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext

from partnerships.kit import standby


@contextmanager
def standby_in_name(*, has_caught_up: bool | None = True) -> Iterator[CaptureQueriesContext]:
    """Within, the standby answers, and has caught up or not; yields what it was asked.

    None: it says itself where it is. The test's own database is one that was promoted.
    """
    other = connection.copy(alias=standby.STANDBY)
    other.connection = connection.connection  # of the same session, which does not commit
    answer = f"SELECT {str(has_caught_up).lower()} OR %s::pg_lsn IS NULL"
    if has_caught_up is None:
        answer = standby._CAUGHT_UP
    with (
        _known(other),
        patch.object(standby, "_CAUGHT_UP", answer),
        patch.object(standby, "WAIT_SECONDS", 0),
        CaptureQueriesContext(other) as asked,
    ):
        yield asked


@contextmanager
def standby_away() -> Iterator[None]:
    """Within, nothing answers at the address of the standby."""
    other = connection.copy(alias=standby.STANDBY)
    refused = OperationalError("connection refused")
    with _known(other), patch.object(other, "ensure_connection", side_effect=refused):
        yield


@contextmanager
def _known(other: object) -> Iterator[None]:
    """Let Django know the database, and the process forget a standby that was away."""
    connections.databases[standby.STANDBY] = other.settings_dict  # type: ignore[attr-defined]
    connections[standby.STANDBY] = other
    try:
        with patch.object(standby, "_asked_again_at", 0.0):
            yield
    finally:
        del connections[standby.STANDBY]
        del connections.databases[standby.STANDBY]
