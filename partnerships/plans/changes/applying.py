"""Doing changes to a content: `apply(changes(a, b), a) == b`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from partnerships.plans.changes.change import Change
from partnerships.plans.content import COLLECTIONS, Content, Item, Line, homes_item, line_of, line_order


def apply(found: Iterable[Change], a: Content) -> Content:
    """Do the changes to `a`: `apply(changes(a, b), a) == b`. `a` stays as it is."""
    by_what: dict[str, list[Change]] = {}
    for change in found:
        by_what.setdefault(change.what, []).append(change)
    result: Content = {"about": {**a["about"], **{change.field: change.now for change in by_what.get("about", ())}}}
    for collection in COLLECTIONS:
        mine = by_what.get(collection.one, [])
        homes = by_what.get("homes", []) if collection.one == "site" else []
        result[collection.code] = (
            _apply_to_list(mine, homes, a[collection.code]) if mine or homes else a[collection.code]
        )
    return result


def _apply_to_list(found: list[Change], homes: list[Change], items: list[Item]) -> list[Item]:
    by_key = {item["key"]: dict(item) for item in items}
    lines: dict[str, dict[Line, int]] = {}
    for change in homes:
        counts = lines.setdefault(change.key, {line_of(line): line["count"] for line in by_key[change.key]["homes"]})
        if change.line is not None:
            counts[change.line] = change.now
    for key, counts in lines.items():
        kept = sorted((line for line in counts if counts[line]), key=line_order)
        by_key[key]["homes"] = [homes_item(line, counts[line]) for line in kept]
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
