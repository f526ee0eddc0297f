"""Pieces: what one person edits at a time and conflicts are about: "about", "sites/north-quay", "order/sections"."""

from __future__ import annotations

from typing import Any

from partnerships.plans.content.shape import COLLECTION_BY_CODE, Content, Item
from partnerships.plans.content.values import InvalidContent, Problem
from partnerships.plans.content.whole import KEY, MAX_ITEMS, normalise_about, normalise_item, settle_milestones


class UnknownPiece(ValueError):
    """No plan has a piece of this name."""


def split_piece(piece: str) -> tuple[str, str]:
    """Split "sites/north-quay" into ("sites", "north-quay"); "about" has no key. Raise UnknownPiece."""
    code, _, key = piece.partition("/")
    if piece == "about":
        return "about", ""
    if code == "order" and key in COLLECTION_BY_CODE:
        return "order", key
    if code in COLLECTION_BY_CODE and KEY.fullmatch(key):
        return code, key
    raise UnknownPiece(f"A plan has no piece called “{piece}”.")


def get_piece(content: Content, piece: str) -> Any:
    """Read one piece: an item, what is said about the plan, or a list of keys; None where there is no such item."""
    code, key = split_piece(piece)
    if code == "about":
        return content["about"]
    if code == "order":
        return [item["key"] for item in content[key]]
    return next((item for item in content[code] if item["key"] == key), None)


def set_piece(content: Content, piece: str, value: Any) -> Content:
    """Give the content with one piece replaced, added at the end (no such item yet) or removed (value None).

    The given content stays as it is; the value is made regular, or InvalidContent is raised. The milestones of a site
    that is removed stay, as secret as it was.
    """
    code, key = split_piece(piece)
    if code == "about":
        return {**content, "about": normalise_about(value)}
    if code == "order":
        return {**content, key: _reordered(content[key], value, piece)}
    items: list[Item] = content[code]
    if value is None:
        fewer = {**content, code: [item for item in items if item["key"] != key]}
        return settle_milestones(fewer, content) if code == "sites" else fewer
    item = normalise_item(COLLECTION_BY_CODE[code], value, key)
    if any(present["key"] == key for present in items):
        return {**content, code: [item if present["key"] == key else present for present in items]}
    if len(items) >= MAX_ITEMS:
        raise InvalidContent([Problem(piece, f"A plan holds at most {MAX_ITEMS:,} of these.")])
    return {**content, code: [*items, item]}


def _reordered(items: list[Item], keys: Any, piece: str) -> list[Item]:
    """Put the named items first in that order; those not named (added meanwhile) follow as they were."""
    if not isinstance(keys, list | tuple) or not all(isinstance(key, str) for key in keys):
        raise InvalidContent([Problem(piece, "This must be a list of keys.")])
    by_key = {item["key"]: item for item in items}
    first = [by_key[key] for key in dict.fromkeys(keys) if key in by_key]
    named = {item["key"] for item in first}
    return [*first, *(item for item in items if item["key"] not in named)]
