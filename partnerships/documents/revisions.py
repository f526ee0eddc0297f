"""Revisions of pieces: who saved which piece, and conflicts between two people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeAlias

#: {"revision", "by" (person id), "at" (ISO 8601)}: the last save of a piece.
Touch: TypeAlias = dict[str, Any]
Touches: TypeAlias = Mapping[str, Touch]


class PieceConflict(Exception):
    """Somebody else saved the same piece since.

    `theirs` is its value now, `mine` the value that was to be saved, both normalised. `revision` is the one to base the
    next save on, `by` the person's id and `at` the moment (ISO 8601) of the other save.
    """

    def __init__(self, *, piece: str, mine: Any, theirs: Any, revision: int, by: int | None, at: str) -> None:
        self.piece, self.mine, self.theirs = piece, mine, theirs
        self.revision, self.by, self.at = revision, by, at
        super().__init__(f"Somebody else has saved {piece}.")


def touch(revision: int, by: int | None, now: dt.datetime) -> Touch:
    """The record of one save of a piece."""
    return {"revision": revision, "by": by, "at": now.isoformat()}


def revision_of(touches: Touches, piece: str) -> int:
    """The revision at which a piece was last saved; 0 if never."""
    return int(touches.get(piece, {}).get("revision", 0))


def touched_since(touches: Touches, revision: int) -> dict[str, Touch]:
    """The pieces saved after a revision."""
    return {piece: saved for piece, saved in touches.items() if saved["revision"] > revision}


def check_conflict(touches: Touches, piece: str, based_on: int | None, *, mine: Any, theirs: Any) -> None:
    """Raise `PieceConflict` if the piece was saved after `based_on`."""
    revision = revision_of(touches, piece)
    if based_on is None or revision <= based_on:
        return
    saved = touches[piece]
    raise PieceConflict(
        piece=piece, mine=mine, theirs=theirs, revision=revision, by=saved.get("by"), at=saved.get("at", "")
    )
