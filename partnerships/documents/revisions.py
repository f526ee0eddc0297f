"""Revisions of pieces: who last saved a piece, and conflicts between two people who edit the same piece."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeAlias

#: The last save of a piece: its "revision", the id of the person in "by", and the time in "at" (ISO 8601).
Touch: TypeAlias = dict[str, Any]
Touches: TypeAlias = Mapping[str, Touch]


class PieceConflict(Exception):
    """Another person has saved the same piece since the author opened it.

    `mine` is the author's new value and `theirs` the value that the other person saved; both are normalised. `by`
    is the other person's id, `at` the time of their save (ISO 8601), and `revision` the revision on which to base
    the next save.
    """

    def __init__(self, *, piece: str, mine: Any, theirs: Any, revision: int, by: int | None, at: str) -> None:
        self.piece, self.mine, self.theirs = piece, mine, theirs
        self.revision, self.by, self.at = revision, by, at
        super().__init__(f"Another person has saved {piece} since you opened it.")


def touch(revision: int, by: int | None, now: dt.datetime) -> Touch:
    """Return the record of a save of a piece."""
    return {"revision": revision, "by": by, "at": now.isoformat()}


def revision_of(touches: Touches, piece: str) -> int:
    """Return the revision at which a piece was last saved; 0 if it never was."""
    return int(touches.get(piece, {}).get("revision", 0))


def touched_since(touches: Touches, revision: int) -> dict[str, Touch]:
    """Return the pieces that were saved after a revision, with their last saves."""
    return {piece: last_save for piece, last_save in touches.items() if last_save["revision"] > revision}


def check_conflict(touches: Touches, piece: str, based_on: int | None, *, new_value: Any, current_value: Any) -> None:
    """Raise `PieceConflict` if the piece was saved after the revision `based_on`. None skips the check."""
    revision = revision_of(touches, piece)
    if based_on is None or revision <= based_on:
        return
    last_save = touches[piece]
    raise PieceConflict(
        piece=piece,
        mine=new_value,
        theirs=current_value,
        revision=revision,
        by=last_save.get("by"),
        at=last_save.get("at", ""),
    )
