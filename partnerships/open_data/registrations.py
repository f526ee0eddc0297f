"""Register this room's events, rules and pages with other rooms."""

from __future__ import annotations

from typing import Any

from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.open_data import restoring
from partnerships.open_data.event_kinds import EventKind
from partnerships.open_data.sections import open_data_section
from partnerships.organisations.obligations import Column, RecordMove, register_following_columns
from partnerships.organisations.sections import ON_ORGANISATIONS


def _ending_fields(move: RecordMove) -> dict[str, Any]:
    """Return the fields of a publication that ends with its organisation."""
    return {"ended_at": move.now, "end_reason": move.reason}


def register() -> None:
    """Register events, the section on organisation pages, and what happens to publications.

    When an organisation ends, its publications end too. Its successor decides whether to publish.
    """
    register_events(EventKind)
    register_without_notice(EventKind, because="the files contain only what everyone can already read")
    register_following_columns(Column("open_data.Publication.organisation", end_values=_ending_fields))
    restoring.register()
    ON_ORGANISATIONS.register("open data", open_data_section, order=45)
