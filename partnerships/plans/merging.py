"""Joining two lines of work on one plan, field by field: what was published elsewhere meanwhile goes into the draft."""

from __future__ import annotations

from typing import Any

from .content import ABOUT, COLLECTIONS, SITES, Collection, Content, Item, homes_item, line_of, line_order


def rebase(draft: Content, was: Content, now: Content) -> Content:
    """Give the draft, begun from `was`, as if it had begun from `now`.

    What the draft left alone becomes as it is in `now`: each field of each item, each line of homes of a site, and the
    order of each list. What it changed stays as the draft has it; items that it added or changed stay even where `now`
    removed them, and those that it removed stay removed.
    """
    codes = [field.code for field in ABOUT]
    merged: Content = {"about": _merged_fields(codes, draft["about"], was["about"], now["about"])}
    for collection in COLLECTIONS:
        code = collection.code
        merged[code] = _merged_list(collection, draft[code], was[code], now[code])
    return merged


def _merged_list(collection: Collection, draft: list[Item], was: list[Item], now: list[Item]) -> list[Item]:
    before = {item["key"]: item for item in was}
    after = {item["key"]: item for item in now}
    result: list[Item] = []
    for item in draft:
        key = item["key"]
        if key in before and key in after:
            result.append(_merged_item(collection, item, before[key], after[key]))
        elif item != before.get(key):
            result.append(item)
    known = {item["key"] for item in draft} | set(before)
    result += [item for item in now if item["key"] not in known]
    return _ordered(result, [item["key"] for item in draft], list(before), list(after))


def _ordered(items: list[Item], draft: list[str], was: list[str], now: list[str]) -> list[Item]:
    """Put them in the order of `now`, unless the draft moved some; what the draft added stays beside its neighbour.

    Of items that the draft alone has, those it added follow the item they followed; the others come last.
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


def _merged_item(collection: Collection, draft: Item, was: Item, now: Item) -> Item:
    if draft == was:
        return now
    if now == was:
        return draft
    codes = [field.code for field in collection.fields]
    merged = {"key": draft["key"], **_merged_fields(codes, draft, was, now)}
    if collection is SITES:
        merged["homes"] = _merged_homes(draft["homes"], was["homes"], now["homes"])
    return merged


def _merged_fields(codes: list[str], draft: Item, was: Item, now: Item) -> dict[str, Any]:
    return {code: now[code] if draft[code] == was[code] else draft[code] for code in codes}


def _merged_homes(draft: list[Item], was: list[Item], now: list[Item]) -> list[Item]:
    counts = [{line_of(line): line["count"] for line in lines} for lines in (draft, was, now)]
    mine, before, after = counts
    merged = {
        line: after.get(line, 0) if mine.get(line, 0) == before.get(line, 0) else mine.get(line, 0)
        for line in {*mine, *before, *after}
    }
    return [homes_item(line, merged[line]) for line in sorted(merged, key=line_order) if merged[line]]
