"""Find the changes that turn one content into another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any

from partnerships.documents.comparing.change import Change, Kind
from partnerships.documents.comparing.naming import NO_REGISTERS, Names, Registers, told_apart
from partnerships.documents.schema import Collection, Content, Counts, Field, Item, Line, Schema


def changes(schema: Schema, a: Content, b: Content, registers: Registers = NO_REGISTERS) -> tuple[Change, ...]:
    """Everything that must be done to `a` to get `b`, in the order of reading.

    `registers` gives names for the words of the changes.
    """
    found: list[Change] = []
    names = Names(schema, a, b, registers=registers)
    if a["about"] != b["about"]:
        was, now = a["about"], b["about"]
        found += [
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
        if a[collection.code] != b[collection.code]:
            found += _of_list(schema, collection, a[collection.code], b[collection.code], names)
    return tuple(found)


def _of_list(schema: Schema, collection: Collection, a: list[Item], b: list[Item], names: Names) -> list[Change]:
    """The changes between two lists of items: added, moved, changed and removed ones."""
    found: list[Change] = []
    was_at = {item["key"]: place for place, item in enumerate(a)}
    now_at = {item["key"]: place for place, item in enumerate(b)}
    moved = _moved([was_at[item["key"]] for item in b if item["key"] in was_at])
    for place, now in enumerate(b):
        key = now["key"]
        label = str(now[collection.title])
        old_place = was_at.get(key)
        if old_place is None:
            found.append(
                Change(schema=schema, kind="added", what=collection.one, key=key, label=label, now=now, place=place)
            )
            continue
        if old_place in moved:
            before, after = ("", "")
            if old_place == place:  # others came or went: the same number is another place among those that stayed
                stay = {item["key"] for item in b if item["key"] in was_at and was_at[item["key"]] not in moved}
                before, after = told_apart(*(_beside(collection, items, place, stay) for items in (a, b)))
            found.append(
                Change(
                    schema=schema,
                    kind="moved",
                    what=collection.one,
                    key=key,
                    label=label,
                    was=old_place,
                    now=place,
                    place=place,
                    was_name=before,
                    now_name=after,
                )
            )
        was = a[old_place]
        if was != now:
            found += [
                _of_field(schema, (collection.one, key, label), field, was[field.code], now[field.code], names)
                for field in collection.fields
                if was[field.code] != now[field.code]
            ]
            if collection.counts and was[collection.counts.code] != now[collection.counts.code]:
                found += _of_counts(schema, collection.counts, key, label, was, now)
    found += [
        Change(
            schema=schema,
            kind="removed",
            what=collection.one,
            key=item["key"],
            label=str(item[collection.title]),
            was=item,
            place=place,
        )
        for place, item in enumerate(a)
        if item["key"] not in now_at
    ]
    return found


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
    found = [
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
    for change in found:
        if change.from_line is not None and change.line is not None:
            between[change.from_line] -= change.now
            between[change.line] = between.get(change.line, 0) + change.now
    for line in sorted({*was, *now}, key=counts.order):
        first, before, after = was.get(line, 0), between.get(line, 0), now.get(line, 0)
        if before != after:
            kind: Kind = "added" if line not in was else "removed" if line not in now else "changed"
            part = (schema, kind, counts.code, key, label, counts.code)
            found.append(Change(*part, first, after, line, besides=before - first))
    return found


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
