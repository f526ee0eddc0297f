"""Pieces: what one person edits at a time and what conflicts are about.

A piece is "about" (the fields about the whole), an item such as "sites/north-quay", or the order of a list,
"order/sections".
"""

from __future__ import annotations

from typing import Any

from partnerships.documents.normalising import KEY, MAX_ITEMS, normalise_about, normalise_item
from partnerships.documents.schema import Content, Item, Schema
from partnerships.documents.values import InvalidContent, Problem


class UnknownPiece(ValueError):
    """The document has no piece of this name."""


def split_piece(schema: Schema, piece: str) -> tuple[str, str]:
    """Split "sites/north-quay" into ("sites", "north-quay").

    "about" has no key. Raises `UnknownPiece`.
    """
    code, _, key = piece.partition("/")
    if piece == "about":
        return "about", ""
    if code == "order" and key in schema.collection_by_code:
        return "order", key
    if code in schema.collection_by_code and KEY.fullmatch(key):
        return code, key
    raise UnknownPiece(f"A {schema.one} has no piece called “{piece}”.")


def get_piece(schema: Schema, content: Content, piece: str) -> Any:
    """The item, the fields about the whole, or the list of keys.

    None where there is no such item.
    """
    code, key = split_piece(schema, piece)
    if code == "about":
        return content["about"]
    if code == "order":
        return [item["key"] for item in content[key]]
    return next((item for item in content[code] if item["key"] == key), None)


def set_piece(schema: Schema, content: Content, piece: str, value: Any) -> Content:
    """The content with one piece replaced, added or (value None) removed.

    Does not change the given content. Raises `UnknownPiece`, and `InvalidContent` where the value is not valid.
    """
    code, key = split_piece(schema, piece)
    if code == "about":
        return {**content, "about": normalise_about(schema, value)}
    if code == "order":
        return {**content, key: _reordered(content[key], value, piece)}
    collection = schema.collection_by_code[code]
    items: list[Item] = content[code]
    if value is None:
        without = {**content, code: [item for item in items if item["key"] != key]}
        return collection.after_removal(without, content) if collection.after_removal else without
    item = normalise_item(schema, collection, value, key)
    if any(present["key"] == key for present in items):
        return {**content, code: [item if present["key"] == key else present for present in items]}
    if len(items) >= MAX_ITEMS:
        raise InvalidContent([Problem(piece, f"A {schema.one} can have at most {MAX_ITEMS:,} of these.")])
    return {**content, code: [*items, item]}


def _reordered(items: list[Item], keys: Any, piece: str) -> list[Item]:
    """The named items first, in that order.

    Items that were added meanwhile follow.
    """
    if not isinstance(keys, list | tuple) or not all(isinstance(key, str) for key in keys):
        raise InvalidContent([Problem(piece, "This must be a list of keys.")])
    by_key = {item["key"]: item for item in items}
    first = [by_key[key] for key in dict.fromkeys(keys) if key in by_key]
    named = {item["key"] for item in first}
    return [*first, *(item for item in items if item["key"] not in named)]
