"""What a person was shown on the site, so that no digest repeats it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Protocol


class NoteSeen(Protocol):
    """Notes that a person was shown changes of a subject."""

    def __call__(
        self, *, person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime
    ) -> None: ...


class NoteEventsSeen(Protocol):
    """Notes that a person was shown events of a subject."""

    def __call__(
        self, *, person_id: int, kind: str, record_id: int, events: Collection[int], now: dt.datetime
    ) -> None: ...


_registered: list[NoteSeen] = []
_of_events: list[NoteEventsSeen] = []


def register_seen(note: NoteSeen, of_events: NoteEventsSeen) -> None:
    """Call these whenever somebody was shown changes."""
    _registered.append(note)
    _of_events.append(of_events)


def note_seen(*, person_id: int, kind: str, record_id: int, from_number: int, to_number: int, now: dt.datetime) -> None:
    """Note that a person was shown every change after `from_number`.

    Up to `to_number`, of the subject `kind` and `record_id`. Pages call it only if they left nothing out.
    """
    for note in _registered:
        note(
            person_id=person_id,
            kind=kind,
            record_id=record_id,
            from_number=from_number,
            to_number=to_number,
            now=now,
        )


def note_events_seen(*, person_id: int, kind: str, record_id: int, events: Collection[int], now: dt.datetime) -> None:
    """Note that a page showed these events of the subject `kind` and `record_id`.

    Called by pages of a timeline. The watermark stops before the first change that the person may see
        and was not shown.
    """
    for note in _of_events:
        note(person_id=person_id, kind=kind, record_id=record_id, events=events, now=now)
