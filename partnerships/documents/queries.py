"""Find out who last saved each piece of a draft."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.documents.models import Draft
from partnerships.documents.revisions import touched_since
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class LastSave:
    """The last save of a piece: the name of the person, and when."""

    by: str
    at: dt.datetime


def last_saves(draft: Draft) -> dict[str, LastSave]:
    """Return the last save of each piece that was saved since the newest version, by the name of the piece."""
    pieces = touched_since(draft.pieces, draft.clean_revision)
    people = User.objects.in_bulk({touch["by"] for touch in pieces.values() if touch["by"]})
    last_save_by_piece = {}
    for piece, touch in pieces.items():
        person = people.get(touch["by"])
        name = person.display_name if person is not None else ""
        last_save_by_piece[piece] = LastSave(by=name, at=dt.datetime.fromisoformat(touch["at"]))
    return last_save_by_piece
