"""Save, remove and move the pieces of a draft, or discard all changes of the draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from partnerships.documents.models import Draft, Version
from partnerships.documents.normalising import MAX_ITEMS
from partnerships.documents.pieces import UnknownPiece, get_piece, set_piece, split_piece
from partnerships.documents.revisions import check_conflict, record_of_save, saved_since
from partnerships.documents.schema import Content, Item, Schema
from partnerships.documents.services.rendering import write_content
from partnerships.documents.values import InvalidContent, Problem
from partnerships.kit.prose import rules
from partnerships.people.models import User

#: The fields of a draft that change when a piece is saved, for `update_fields`.
SAVED_FIELDS = ("content", "prose", "prose_rules", "revision", "pieces", "updated_by", "updated_at")


class UnableToSavePiece(Exception):
    """The document may not be changed, or the piece is invalid. `problems` are the problems of its fields."""

    def __init__(self, message: str, problems: Sequence[Any] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft with its schema and its content. Lock the draft before saving its pieces."""

    schema: Schema
    draft: Draft
    content: Content
    #: The version on which the draft is based, whose HTML is reused.
    base: Version | None = None


def save_piece(
    open_draft: OpenDraft,
    piece: str,
    value: Any,
    *,
    based_on: int | None,
    author: User | None,
    now: dt.datetime,
    check: Callable[[Content], Iterable[Problem]] | None = None,
) -> bool:
    """Save one piece of a draft, such as "sites/north-quay" or "about", and return whether anything changed.

    The value None removes an item. `based_on` is the revision of the piece that the author saw
    (`Draft.revision_of`). If it is None, the value overwrites any other change. `check` returns problems of the whole
    content. Raises `UnableToSavePiece`, and `PieceConflict` if another person has saved another value since.
    """
    schema, draft = open_draft.schema, open_draft.draft
    try:
        new_content = set_piece(schema, open_draft.content, piece, value)
        problems = tuple(check(new_content)) if check else ()
        if problems:
            raise InvalidContent(problems)
    except UnknownPiece as error:
        raise UnableToSavePiece(str(error)) from error
    except InvalidContent as error:
        raise UnableToSavePiece(str(error), error.problems) from error

    new_value = get_piece(schema, new_content, piece)
    current_value = get_piece(schema, open_draft.content, piece)
    if new_value == current_value:
        return False
    check_conflict(draft.pieces, piece, based_on, new_value=new_value, current_value=current_value)
    _save_content(open_draft, new_content, [piece], author=author, now=now)
    return True


def save_items(
    open_draft: OpenDraft, code: str, items: Mapping[str, Item], *, author: User | None, now: dt.datetime
) -> list[str]:
    """Save several items of one collection as one revision, and return the pieces that changed.

    `items` are normalised, and by key. New items are added at the end, in this order. Raises `UnableToSavePiece` if
    there would be too many items.
    """
    current_items: dict[str, Item] = {item["key"]: item for item in open_draft.content[code]}
    changed_pieces = [f"{code}/{key}" for key, item in items.items() if current_items.get(key) != item]
    all_items = {**current_items, **items}
    if len(all_items) > MAX_ITEMS:
        collection = open_draft.schema.collection_by_code[code]
        raise UnableToSavePiece(
            f"A {open_draft.schema.singular} can have at most {MAX_ITEMS:,} {collection.plural_label.lower()}. "
            "Remove some first."
        )
    if changed_pieces:
        new_content = {**open_draft.content, code: list(all_items.values())}
        _save_content(open_draft, new_content, changed_pieces, author=author, now=now)
    return changed_pieces


def _save_content(
    open_draft: OpenDraft, content: Content, pieces: Iterable[str], *, author: User | None, now: dt.datetime
) -> None:
    """Save the content as a new revision of the draft and of these pieces."""
    draft = open_draft.draft
    write_content(open_draft.schema, draft, content, open_draft.base)
    draft.revision += 1
    last_save = record_of_save(draft.revision, author.pk if author else None, now)
    draft.pieces |= {piece: dict(last_save) for piece in pieces}
    draft.updated_by = author
    draft.updated_at = now
    draft.save(update_fields=SAVED_FIELDS)


def order_after_move(schema: Schema, content: Content, piece: str, *, up: bool) -> tuple[str, list[str]] | None:
    """Return the piece and the value to save in order to move an item one place up or down.

    For "sections/vision", that is the piece "order/sections" and the keys of all sections in their new order. Returns
    None if the item cannot move further. Raises `UnableToSavePiece` if the item was removed, and `UnknownPiece`.
    """
    code, key = split_piece(schema, piece)
    order_piece = f"order/{code}"
    keys: list[str] = list(get_piece(schema, content, order_piece))
    if key not in keys:
        one = schema.collection_by_code[code].singular
        raise UnableToSavePiece(f"A colleague has removed this {one} from the draft, so you cannot move it.")
    index = keys.index(key)
    neighbour = index - 1 if up else index + 1
    if not 0 <= neighbour < len(keys):
        return None
    keys[index], keys[neighbour] = keys[neighbour], keys[index]
    return order_piece, keys


def discard_changes(draft: Draft, *, author: User, now: dt.datetime) -> None:
    """Discard all changes of a locked draft since the version on which it is based, and save the draft."""
    draft.content = None
    draft.prose = {}
    draft.prose_rules = rules()
    draft.revision += 1
    # The changed pieces get a new revision, so that people who are still editing such a piece see a conflict.
    changed_pieces = saved_since(draft.pieces, draft.clean_revision)
    draft.pieces |= {piece: record_of_save(draft.revision, author.pk, now) for piece in changed_pieces}
    draft.clean_revision = draft.revision
    draft.updated_by = author
    draft.updated_at = now
    draft.save()
