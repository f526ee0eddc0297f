"""Find the changes that turn one content into another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise, product
from typing import Any

from partnerships.documents.comparing.change import Change, Kind
from partnerships.documents.comparing.naming import NO_REGISTERS, Names, Registers, told_apart
from partnerships.documents.schema import Collection, Content, Counts, Field, Item, Line, Schema


def changes(schema: Schema, before: Content, after: Content, registers: Registers = NO_REGISTERS) -> tuple[Change, ...]:
    """Everything that must be done to `a` to get `b`, in the order of reading.

    `registers` gives names for the words of the changes.
    """
    all_changes: list[Change] = []
    names = Names(schema, before, after, registers=registers)
    if before["about"] != after["about"]:
        was, now = before["about"], after["about"]
        all_changes += [
            Change(
                schema=schema,
                kind="changed",
                what="about",
                key="",
                label="",
                field=field.code,
                was=was[field.code],
                now=now[field.code],
            )
            for field in schema.about
            if was[field.code] != now[field.code]
        ]
    for collection in schema.collections:
        if before[collection.code] != after[collection.code]:
            all_changes += _of_list(schema, collection, before[collection.code], after[collection.code], names)
    return tuple(all_changes)


def _of_list(
    schema: Schema, collection: Collection, before: list[Item], after: list[Item], names: Names
) -> list[Change]:
    """The changes between two lists of items: added, moved, changed and removed ones."""
    changes: list[Change] = []
    old_places = {item["key"]: place for place, item in enumerate(before)}
    moved = _moved([old_places[item["key"]] for item in after if item["key"] in old_places])
    stayed = {key for key, place in old_places.items() if place not in moved} & {item["key"] for item in after}
    for place, item in enumerate(after):
        change = partial(
            Change,
            schema=schema,
            what=collection.one,
            key=item["key"],
            label=str(item[collection.title]),
            place=place,
        )
        old_place = old_places.get(item["key"])
        if old_place is None:
            changes.append(change(kind="added", now=item))
            continue
        if old_place in moved:
            neighbours = ("", "")
            if old_place == place:  # others came or went: the same number is another place among those that stayed
                neighbours = told_apart(*(_beside(collection, items, place, stayed) for items in (before, after)))
            old_name, new_name = neighbours
            changes.append(change(kind="moved", was=old_place, now=place, was_name=old_name, now_name=new_name))
        changes += _of_item(schema, collection, before[old_place], item, names)
    present = {item["key"] for item in after}
    changes += [
        Change(
            schema=schema,
            kind="removed",
            what=collection.one,
            key=item["key"],
            label=str(item[collection.title]),
            was=item,
            place=place,
        )
        for place, item in enumerate(before)
        if item["key"] not in present
    ]
    return changes


def _of_item(schema: Schema, collection: Collection, was: Item, now: Item, names: Names) -> list[Change]:
    """The changes of one item's fields and counts."""
    if was == now:
        return []
    key, label = now["key"], str(now[collection.title])
    changes = [
        _of_field(schema, (collection.one, key, label), field, was[field.code], now[field.code], names)
        for field in collection.fields
        if was[field.code] != now[field.code]
    ]
    if collection.counts and was[collection.counts.code] != now[collection.counts.code]:
        changes += _of_counts(schema, collection.counts, key, label, was, now)
    return changes


def _beside(collection: Collection, items: list[Item], place: int, stay: set[str]) -> str:
    """A place in words, next to an item that stays."""
    others = [item for item in items[:place] if item["key"] in stay]
    if others:
        return f"place {place + 1}, after {others[-1][collection.title]}"
    first = next(item for item in items if item["key"] in stay)
    return f"place {place + 1}, before {first[collection.title]}"


def _of_field(schema: Schema, item: tuple[str, str, str], field: Field, was: Any, now: Any, names: Names) -> Change:
    before, after = names.both_in_words(field, was, now)
    return Change(schema, "changed", *item, field.code, was, now, None, None, before, after)


def _of_counts(schema: Schema, counts: Counts, key: str, label: str, a: Item, b: Item) -> list[Change]:
    """How the counts of one item differ.

    What moved between lines, then what is more or fewer.
    """
    was, now = counts.by_line(a), counts.by_line(b)
    differences = [
        Change(
            schema=schema,
            kind="moved",
            what=counts.code,
            key=key,
            label=label,
            field=counts.code,
            was=number,
            now=number,
            line=to,
            from_line=left,
        )
        for left, to, number in _moves(counts, was, now)
    ]
    between = dict(was)  # the counts after the moves
    for change in differences:
        if change.from_line is not None and change.line is not None:
            between[change.from_line] -= change.now
            between[change.line] = between.get(change.line, 0) + change.now
    for line in sorted({*was, *now}, key=counts.order):
        first, before, after = was.get(line, 0), between.get(line, 0), now.get(line, 0)
        if before != after:
            kind: Kind = "added" if line not in was else "removed" if line not in now else "changed"
            part = (schema, kind, counts.code, key, label, counts.code)
            differences.append(Change(*part, first, after, line, besides=before - first))
    return differences


def _moves(counts: Counts, was: dict[Line, int], now: dict[Line, int]) -> Iterator[tuple[Line, Line, int]]:
    """What went from one period to another of the same kind: from, to, how many."""
    if counts.without_period is None:
        return
    fewer: dict[Line, dict[Line, int]] = {}
    more: dict[Line, dict[Line, int]] = {}
    for line in sorted({*was, *now}, key=counts.order):
        difference = now.get(line, 0) - was.get(line, 0)
        if difference:
            side = fewer if difference < 0 else more
            side.setdefault(counts.without_period(line), {})[line] = abs(difference)
    for kind, gone in fewer.items():
        come = more.get(kind, {})
        for left, to in product(gone, come):
            number = min(gone[left], come[to])
            if number:
                gone[left] -= number
                come[to] -= number
                yield left, to, number


def _moved(places: Sequence[int]) -> set[int]:
    """The fewest old places that must move so that the rest are ascending.

    What stays is a longest increasing subsequence, found by patience sorting in n log n.
    """
    if all(earlier < later for earlier, later in pairwise(places)):
        return set()
    tops: list[int] = []
    top_index: list[int] = []
    before: list[int] = []
    for index, place in enumerate(places):
        pile = bisect_left(tops, place)
        before.append(top_index[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(place)
            top_index.append(index)
        else:
            tops[pile] = place
            top_index[pile] = index
    stay: set[int] = set()
    index = top_index[-1]
    while index >= 0:
        stay.add(places[index])
        index = before[index]
    return set(places) - stay
