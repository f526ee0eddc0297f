"""Report to other rooms which changes a page has shown to a person, so that no digest repeats them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Protocol


class ChangesSeenHook(Protocol):
    """A function that records that a person has seen changes of a subject."""

    def __call__(
        self, *, person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
    ) -> None: ...


class EventsSeenHook(Protocol):
    """A function that records that a person has seen events of a subject."""

    def __call__(
        self, *, person_id: int, kind: str, record_id: int, event_ids: Collection[int], now: dt.datetime
    ) -> None: ...


_change_listeners: list[ChangesSeenHook] = []
_event_listeners: list[EventsSeenHook] = []


def register_seen_hooks(note_changes: ChangesSeenHook, note_events: EventsSeenHook) -> None:
    """Register functions to call whenever a page has shown changes or events to a person."""
    _change_listeners.append(note_changes)
    _event_listeners.append(note_events)


def note_changes_seen(
    *, person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
) -> None:
    """Record that a person has seen every change of a subject after `from_number` and up to `to_number`.

    `kind` and `record_id` name the subject. A page calls this only if it left out no change.
    """
    for note in _change_listeners:
        note(
            person_id=person_id,
            kind=kind,
            record_id=record_id,
            from_number=from_number,
            to_number=to_number,
            now=now,
        )


def note_events_seen(
    *, person_id: int, kind: str, record_id: int, event_ids: Collection[int], now: dt.datetime
) -> None:
    """Record that a timeline has shown these events of the subject with this kind and id.

    The watermark stops before the first change that the person may see but was not shown.
    """
    for note in _event_listeners:
        note(person_id=person_id, kind=kind, record_id=record_id, event_ids=event_ids, now=now)
