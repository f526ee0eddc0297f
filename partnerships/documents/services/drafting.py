"""Save, remove and move the pieces of a draft, or discard it all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from partnerships.documents.models import Draft, Version
from partnerships.documents.normalising import MAX_ITEMS
from partnerships.documents.pieces import UnknownPiece, get_piece, set_piece, split_piece
from partnerships.documents.revisions import check_conflict, touch, touched_since
from partnerships.documents.schema import Content, Item, Schema
from partnerships.documents.services.rendering import write_content
from partnerships.documents.values import InvalidContent, Problem
from partnerships.kit.prose import rules
from partnerships.people.models import User

#: What a save writes in the draft's row; give it to `save(update_fields=…)` with your own fields.
SAVED_FIELDS = ("content", "prose", "prose_rules", "revision", "pieces", "updated_by", "updated_at")


class UnableToSavePiece(Exception):
    """The document may not be changed, or the piece or its value is invalid.

    `problems` says where.
    """

    def __init__(self, message: str, problems: Sequence[Any] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A locked draft to save pieces of, and its content before that.

    `base` is the version that it starts from, whose HTML is reused.
    """

    schema: Schema
    draft: Draft
    content: Content
    base: Version | None = None


def save_piece(
    opened: OpenDraft,
    piece: str,
    value: Any,
    *,
    based_on: int | None,
    author: User | None,
    now: dt.datetime,
    check: Callable[[Content], Iterable[Problem]] | None = None,
) -> bool:
    """Save one piece of a draft: an item, "about", or the order of a list.

    Returns whether anything changed. None as the value removes an item. `based_on` is the revision of the piece that
    the author saw (`Draft.revision_of`), None to overwrite. `check` finds problems of the whole content. Raises
    `PieceConflict` if somebody has saved something else since, and `UnableToSavePiece`.
    """
    schema, draft = opened.schema, opened.draft
    try:
        changed = set_piece(schema, opened.content, piece, value)
        problems = tuple(check(changed)) if check else ()
        if problems:
            raise InvalidContent(problems)
    except UnknownPiece as error:
        raise UnableToSavePiece(str(error)) from error
    except InvalidContent as error:
        raise UnableToSavePiece(str(error), error.problems) from error
    mine, theirs = get_piece(schema, changed, piece), get_piece(schema, opened.content, piece)
    if mine == theirs:
        return False
    check_conflict(draft.pieces, piece, based_on, mine=mine, theirs=theirs)
    _save_content(opened, changed, [piece], author=author, now=now)
    return True


def save_items(
    opened: OpenDraft, code: str, items: Mapping[str, Item], *, author: User | None, now: dt.datetime
) -> list[str]:
    """Save several normalised items of one collection of a draft, as one revision.

    `items` are by key; new ones follow the others, in this order. Returns the pieces that changed. Raises
    `UnableToSavePiece` if they are too many.
    """
    present: dict[str, Item] = {item["key"]: item for item in opened.content[code]}
    touched = [f"{code}/{key}" for key, item in items.items() if present.get(key) != item]
    together = {**present, **items}
    if len(together) > MAX_ITEMS:
        raise UnableToSavePiece(f"A {opened.schema.one} can have at most {MAX_ITEMS:,} of these.")
    if touched:
        changed = {**opened.content, code: list(together.values())}
        _save_content(opened, changed, touched, author=author, now=now)
    return touched


def _save_content(
    opened: OpenDraft, content: Content, pieces: Iterable[str], *, author: User | None, now: dt.datetime
) -> None:
    """Save the content under a new revision, which these pieces get."""
    draft = opened.draft
    write_content(opened.schema, draft, content, opened.base)
    draft.revision += 1
    saved = touch(draft.revision, author.pk if author else None, now)
    draft.pieces |= {piece: dict(saved) for piece in pieces}
    draft.updated_by, draft.updated_at = author, now
    draft.save(update_fields=SAVED_FIELDS)


def moved(schema: Schema, content: Content, piece: str, *, up: bool) -> tuple[str, list[str]] | None:
    """The piece to save, and its value, so that an item moves one place up or down.

    ("order/sections", keys) for "sections/vision". None if it cannot move: the first cannot go up, the last cannot go
    down. Raises `UnableToSavePiece` if the item was removed, and `UnknownPiece`.
    """
    code, key = split_piece(schema, piece)
    order = f"order/{code}"
    keys: list[str] = list(get_piece(schema, content, order))
    if key not in keys:
        raise UnableToSavePiece("It is no longer in the draft, so it cannot be moved.")
    place = keys.index(key)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(keys):
        return None
    keys[place], keys[other] = keys[other], keys[place]
    return order, keys


def discard_changes(draft: Draft, *, author: User, now: dt.datetime) -> None:
    """Discard all changes of a locked draft since the version it is based on.

    Saves it.
    """
    draft.content, draft.prose, draft.prose_rules = None, {}, rules()
    draft.revision += 1
    # Pieces changed since count as saved again, so that somebody who is still editing one sees a conflict.
    touched = touched_since(draft.pieces, draft.clean_revision)
    draft.pieces |= {piece: touch(draft.revision, author.pk, now) for piece in touched}
    draft.clean_revision = draft.revision
    draft.updated_by, draft.updated_at = author, now
    draft.save()
