"""Record who last saved each piece, and detect when two people edit the same piece."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeAlias

#: The last save of a piece. It has the "revision", the id of the person in "by", and the time in "at" (ISO 8601).
SaveRecord: TypeAlias = dict[str, Any]
SaveRecords: TypeAlias = Mapping[str, SaveRecord]


class PieceConflict(Exception):
    """Another person has saved the same piece since the author opened it.

    `mine` is the author's new value, and `theirs` is the value that the other person saved. Both are normalised.
    `by` is the other person's id, and `at` is the time of their save (ISO 8601). The author's next save must be based
    on `revision`.
    """

    def __init__(self, *, piece: str, mine: Any, theirs: Any, revision: int, by: int | None, at: str) -> None:
        self.piece, self.mine, self.theirs = piece, mine, theirs
        self.revision, self.by, self.at = revision, by, at
        super().__init__(f"Another person has saved {piece} since you opened it.")


def record_of_save(revision: int, by: int | None, now: dt.datetime) -> SaveRecord:
    """Return the record of a save for `Draft.pieces`. `by` is the id of the person who saved the piece."""
    return {"revision": revision, "by": by, "at": now.isoformat()}


def revision_of(save_records: SaveRecords, piece: str) -> int:
    """Return the revision at which a piece was last saved, or 0 if it never was."""
    return int(save_records.get(piece, {}).get("revision", 0))


def saved_since(save_records: SaveRecords, revision: int) -> dict[str, SaveRecord]:
    """Return the last saves of the pieces that were saved after a revision."""
    return {piece: last_save for piece, last_save in save_records.items() if last_save["revision"] > revision}


def check_conflict(
    save_records: SaveRecords, piece: str, based_on: int | None, *, new_value: Any, current_value: Any
) -> None:
    """Raise `PieceConflict` if the piece was saved after the revision `based_on`.

    If `based_on` is None, there is no check, and the new value overwrites any other.
    """
    revision = revision_of(save_records, piece)
    if based_on is None or revision <= based_on:
        return
    last_save = save_records[piece]
    raise PieceConflict(
        piece=piece,
        mine=new_value,
        theirs=current_value,
        revision=revision,
        by=last_save.get("by"),
        at=last_save.get("at", ""),
    )
