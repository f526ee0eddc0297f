"""Apply changes to a content.

`apply(schema, changes(schema, a, b), a) == b`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from partnerships.documents.comparing.change import Change
from partnerships.documents.schema import Collection, Content, Item, Line, Schema


def apply(schema: Schema, found: Iterable[Change], a: Content) -> Content:
    """The content `a` with the changes made; `a` itself is not changed."""
    by_what: dict[str, list[Change]] = {}
    for change in found:
        by_what.setdefault(change.what, []).append(change)
    result: Content = {"about": {**a["about"], **{change.field: change.now for change in by_what.get("about", ())}}}
    for collection in schema.collections:
        mine = by_what.get(collection.one, [])
        counted = by_what.get(collection.counts.code, []) if collection.counts else []
        items = a[collection.code]
        result[collection.code] = _apply_to_list(collection, mine, counted, items) if mine or counted else items
    return result


def _apply_to_list(collection: Collection, found: list[Change], counted: list[Change], items: list[Item]) -> list[Item]:
    """The list after the changes: moved counts first, then fields, then the new order."""
    by_key = {item["key"]: dict(item) for item in items}
    if collection.counts:
        lines: dict[str, dict[Line, int]] = {}
        for change in counted:
            by_line = lines.setdefault(change.key, collection.counts.by_line(by_key[change.key]))
            if change.line is not None and change.from_line is not None:
                by_line[change.from_line] -= change.now
                by_line[change.line] = by_line.get(change.line, 0) + change.now
            elif change.line is not None:
                by_line[change.line] = change.now
        for key, by_line in lines.items():
            by_key[key][collection.counts.code] = collection.counts.items(by_line)
    elsewhere = {change.key for change in found if change.kind in ("removed", "moved")}
    for change in found:
        if change.kind == "changed":
            by_key[change.key][change.field] = change.now
        elif change.kind == "added":
            by_key[change.key] = change.now
    placed = sorted(
        (change for change in found if change.kind in ("added", "moved")), key=lambda change: change.place or 0
    )
    staying = iter([by_key[item["key"]] for item in items if item["key"] not in elsewhere])
    result: list[Item] = []
    for change in placed:
        while len(result) < (change.place or 0):
            result.append(next(staying))
        result.append(by_key[change.key])
    return list(chain(result, staying))
