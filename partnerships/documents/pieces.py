"""Split the content of a document into pieces, which people edit one at a time.

A piece is "about" (the fields of the document itself), an item such as "sites/north-quay", or the order of a list, such
as "order/sections". Two people who edit different pieces do not conflict.
"""

from __future__ import annotations

from typing import Any

from partnerships.documents.normalising import KEY, MAX_ITEMS, normalise_about, normalise_item
from partnerships.documents.schema import Content, Item, Schema
from partnerships.documents.values import InvalidContent, Problem


class UnknownPiece(ValueError):
    """The document has no piece of this name."""


def split_piece(schema: Schema, piece: str) -> tuple[str, str]:
    """Return the two parts of a piece's name, such as "sites" and "north-quay"; "about" has an empty key.

    Raises `UnknownPiece`.
    """
    code, _, key = piece.partition("/")
    if piece == "about":
        return "about", ""
    if code == "order" and key in schema.collection_by_code:
        return "order", key
    if code in schema.collection_by_code and KEY.fullmatch(key):
        return code, key
    raise UnknownPiece(f"A {schema.singular} has no part called “{piece}”. Open the page again and choose a part.")


def get_piece(schema: Schema, content: Content, piece: str) -> Any:
    """Return the value of a piece. Raises `UnknownPiece`.

    That is the fields of "about", an item (None if there is none), or the keys of a list in their order.
    """
    code, key = split_piece(schema, piece)
    if code == "about":
        return content["about"]
    if code == "order":
        return [item["key"] for item in content[key]]
    return next((item for item in content[code] if item["key"] == key), None)


def set_piece(schema: Schema, content: Content, piece: str, value: Any) -> Content:
    """Return a copy of the content with one piece added, replaced or, if the value is None, removed.

    Raises `UnknownPiece`, and `InvalidContent` if the value is invalid.
    """
    code, key = split_piece(schema, piece)
    if code == "about":
        return {**content, "about": normalise_about(schema, value)}
    if code == "order":
        return {**content, key: _reorder(content[key], value, piece)}
    collection = schema.collection_by_code[code]
    items: list[Item] = content[code]
    if value is None:
        new_content = {**content, code: [item for item in items if item["key"] != key]}
        return collection.after_removal(new_content, content) if collection.after_removal else new_content
    new_item = normalise_item(schema, collection, value, key)
    if any(item["key"] == key for item in items):
        return {**content, code: [new_item if item["key"] == key else item for item in items]}
    if len(items) >= MAX_ITEMS:
        message = (
            f"A {schema.singular} can have at most {MAX_ITEMS:,} {collection.plural_label.lower()}. Remove some first."
        )
        raise InvalidContent([Problem(piece, message)])
    return {**content, code: [*items, new_item]}


def _reorder(items: list[Item], keys: Any, piece: str) -> list[Item]:
    """Return the items in the order of the keys. Items whose keys are missing come last.

    Raises `InvalidContent` if `keys` is not a list of texts.
    """
    if not isinstance(keys, list | tuple) or not all(isinstance(key, str) for key in keys):
        raise InvalidContent([Problem(piece, "Enter a list of keys.")])
    item_by_key = {item["key"]: item for item in items}
    ordered_items = [item_by_key[key] for key in dict.fromkeys(keys) if key in item_by_key]
    named_keys = set(keys)
    other_items = [item for item in items if item["key"] not in named_keys]
    return [*ordered_items, *other_items]
