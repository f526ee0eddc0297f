"""Revisions of pieces: who last saved a piece, and conflicts between two people who edit the same one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeAlias

#: The last save of a piece: its "revision", "by" whom (person id), and "at" what time (ISO 8601).
Touch: TypeAlias = dict[str, Any]
Touches: TypeAlias = Mapping[str, Touch]


class PieceConflict(Exception):
    """Another person has saved the same piece since.

    `mine` is the value that was to be saved, `theirs` the value saved by the other person; both are normalised. `by` is
    the other person's id, `at` the time of their save (ISO 8601), and `revision` the one to base the next save on.
    """

    def __init__(self, *, piece: str, mine: Any, theirs: Any, revision: int, by: int | None, at: str) -> None:
        self.piece, self.mine, self.theirs = piece, mine, theirs
        self.revision, self.by, self.at = revision, by, at
        super().__init__(f"Another person has saved {piece} since you opened it.")


def touch(revision: int, by: int | None, now: dt.datetime) -> Touch:
    """Return the record of a save of a piece."""
    return {"revision": revision, "by": by, "at": now.isoformat()}


def revision_of(touches: Touches, piece: str) -> int:
    """Return the revision at which a piece was last saved, or 0 if never."""
    return int(touches.get(piece, {}).get("revision", 0))


def touched_since(touches: Touches, revision: int) -> dict[str, Touch]:
    """Return the pieces that were saved after a revision, with their last saves."""
    return {piece: last_save for piece, last_save in touches.items() if last_save["revision"] > revision}


def check_conflict(touches: Touches, piece: str, based_on: int | None, *, mine: Any, theirs: Any) -> None:
    """Raise `PieceConflict` if the piece was saved after `based_on`."""
    revision = revision_of(touches, piece)
    if based_on is None or revision <= based_on:
        return
    last_save = touches[piece]
    raise PieceConflict(
        piece=piece, mine=mine, theirs=theirs, revision=revision, by=last_save.get("by"), at=last_save.get("at", "")
    )
