"""Find out who last saved each piece of a draft."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.documents.models import Draft
from partnerships.documents.revisions import saved_since
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class LastSave:
    """Who last saved a piece, and when. The name is empty if the person is unknown."""

    by: str
    at: dt.datetime


def last_saves(draft: Draft) -> dict[str, LastSave]:
    """Return who last saved each piece since the newest version, by piece, such as "sites/north-quay"."""
    save_records = saved_since(draft.pieces, draft.clean_revision)
    people = User.objects.in_bulk({record["by"] for record in save_records.values() if record["by"]})
    last_save_by_piece = {}
    for piece, record in save_records.items():
        person = people.get(record["by"])
        name = person.display_name if person is not None else ""
        last_save_by_piece[piece] = LastSave(by=name, at=dt.datetime.fromisoformat(record["at"]))
    return last_save_by_piece
