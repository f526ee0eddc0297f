"""Apply changes to a content: `apply(schema, changes(schema, a, b), a) == b`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from partnerships.documents.comparing.change import Change
from partnerships.documents.schema import Collection, Content, Counts, Item, Line, Schema


def apply(schema: Schema, changes: Iterable[Change], content: Content) -> Content:
    """Return a copy of the content with the changes applied."""
    changes_by_what: dict[str, list[Change]] = {}
    for change in changes:
        changes_by_what.setdefault(change.what, []).append(change)
    new_fields = {change.field: change.now for change in changes_by_what.get("about", ())}
    new_content: Content = {"about": {**content["about"], **new_fields}}
    for collection in schema.collections:
        items = content[collection.code]
        item_changes = changes_by_what.get(collection.singular, [])
        counts = collection.counts
        count_changes = changes_by_what.get(counts.code, []) if counts else []
        if item_changes or count_changes:
            items = _apply_to_list(collection, items, item_changes, count_changes)
        new_content[collection.code] = items
    return new_content


def _apply_to_list(
    collection: Collection, items: list[Item], item_changes: list[Change], count_changes: list[Change]
) -> list[Item]:
    """Return the list after the changes to counts, then to fields, then to the order."""
    item_by_key = {item["key"]: dict(item) for item in items}
    if collection.counts:
        _apply_to_counts(collection.counts, item_by_key, count_changes)
    for change in item_changes:
        if change.kind == "changed":
            item_by_key[change.key][change.field] = change.now
        elif change.kind == "added":
            item_by_key[change.key] = change.now

    placing_changes = [change for change in item_changes if change.kind in ("added", "moved")]
    placing_changes.sort(key=lambda change: change.place or 0)
    displaced_keys = {change.key for change in item_changes if change.kind in ("removed", "moved")}
    # Put each added or moved item at its place, and fill the other places with the items that did not move.
    unmoved_items = iter([item_by_key[item["key"]] for item in items if item["key"] not in displaced_keys])
    new_items: list[Item] = []
    for change in placing_changes:
        while len(new_items) < (change.place or 0):
            new_items.append(next(unmoved_items))
        new_items.append(item_by_key[change.key])
    return list(chain(new_items, unmoved_items))


def _apply_to_counts(counts: Counts, item_by_key: dict[str, Item], count_changes: list[Change]) -> None:
    """Change the counted lines of these items."""
    counts_by_key: dict[str, dict[Line, int]] = {}
    for change in count_changes:
        count_by_line = counts_by_key.setdefault(change.key, counts.by_line(item_by_key[change.key]))
        if change.line is not None and change.from_line is not None:
            count_by_line[change.from_line] -= change.now
            count_by_line[change.line] = count_by_line.get(change.line, 0) + change.now
        elif change.line is not None:
            count_by_line[change.line] = change.now
    for key, count_by_line in counts_by_key.items():
        item_by_key[key][counts.code] = counts.items(count_by_line)
