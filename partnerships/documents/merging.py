"""Merge two people's edits of one document, field by field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from partnerships.documents.schema import Collection, Content, Counts, Field, Item, Schema


def fingerprints(item: Item) -> dict[str, str]:
    """What each field of an item says, as a short digest.

    Enough to see later whether it has changed.
    """
    said = {code: json.dumps(value, sort_keys=True, default=str) for code, value in item.items()}
    return {code: hashlib.sha256(words.encode()).hexdigest()[:16] for code, words in said.items()}


def merge_apart(mine: Item, theirs: Item, seen: Mapping[str, str], codes: Iterable[str]) -> Item | None:
    """Both edits of one item, if they changed different fields.

    None if they changed the same one. `seen` are the fingerprints of what the author of `mine` began from, `codes` the
    fields of their form.
    """
    said, now = fingerprints(mine), fingerprints(theirs)
    changed = [code for code in codes if code in mine and said[code] != seen.get(code)]
    if any(now.get(code) not in (seen.get(code), said[code]) for code in changed):
        return None
    return {**theirs, **{code: mine[code] for code in changed}}


def rebase(schema: Schema, draft: Content, was: Content, now: Content) -> Content:
    """The draft, begun from `was`, as if it had begun from `now`.

    What the draft left alone becomes as it is in `now`: each field of each item, each counted line, and the order of
    each list. What the draft changed stays. Items that it added or changed stay even where `now` removed them, and
    those that it removed stay removed.
    """
    merged: Content = {"about": _merge_fields(schema.about, draft["about"], was["about"], now["about"])}
    for collection in schema.collections:
        code = collection.code
        merged[code] = _merge_list(collection, draft[code], was[code], now[code])
    return merged


def _merge_list(collection: Collection, draft: list[Item], was: list[Item], now: list[Item]) -> list[Item]:
    before = {item["key"]: item for item in was}
    after = {item["key"]: item for item in now}
    result: list[Item] = []
    for item in draft:
        key = item["key"]
        if key in before and key in after:
            result.append(_merge_item(collection, item, before[key], after[key]))
        elif item != before.get(key):
            result.append(item)
    known = {item["key"] for item in draft} | set(before)
    result += [item for item in now if item["key"] not in known]
    return _in_order(result, [item["key"] for item in draft], list(before), list(after))


def _in_order(items: list[Item], draft: list[str], was: list[str], now: list[str]) -> list[Item]:
    """The items in the order of `now`, unless the draft moved some.

    An item that the draft added follows the same item as in the draft; other items that only the draft has come last.
    """
    before, kept = set(was), set(draft)
    if [key for key in draft if key in before] != [key for key in was if key in kept]:
        return items
    place = {key: number for number, key in enumerate(now)}
    by_key = {item["key"]: item for item in items}
    added = [key for key in draft if key in by_key and key not in before and key not in place]
    ordered = sorted((key for key in by_key if key not in added), key=lambda key: place.get(key, len(now)))
    follows = dict(zip(draft[1:], draft, strict=False))
    for key in added:
        neighbour = follows.get(key)
        at = ordered.index(neighbour) + 1 if neighbour in ordered else len(ordered) if neighbour else 0
        ordered.insert(at, key)
    return [by_key[key] for key in ordered]


def _merge_item(collection: Collection, draft: Item, was: Item, now: Item) -> Item:
    if draft == was:
        return now
    if now == was:
        return draft
    merged = {"key": draft["key"], **_merge_fields(collection.fields, draft, was, now)}
    if collection.counts:
        merged[collection.counts.code] = _merge_counts(collection.counts, draft, was, now)
    return merged


def _merge_fields(fields: Iterable[Field], draft: Item, was: Item, now: Item) -> dict[str, Any]:
    codes = (field.code for field in fields)
    return {code: now[code] if draft[code] == was[code] else draft[code] for code in codes}


def _merge_counts(counts: Counts, draft: Item, was: Item, now: Item) -> list[Item]:
    mine, before, after = (counts.by_line(item) for item in (draft, was, now))
    merged = {
        line: after.get(line, 0) if mine.get(line, 0) == before.get(line, 0) else mine.get(line, 0)
        for line in {*mine, *before, *after}
    }
    return counts.items(merged)
