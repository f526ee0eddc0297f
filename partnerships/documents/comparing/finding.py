"""Find the changes between two contents."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise, product
from typing import Any

from partnerships.documents.comparing.change import Change, Kind
from partnerships.documents.comparing.naming import NO_REGISTERS, Names, Registers, distinct_names
from partnerships.documents.schema import Collection, Content, Counts, Item, Line, Schema


def changes(schema: Schema, before: Content, after: Content, registers: Registers = NO_REGISTERS) -> tuple[Change, ...]:
    """Return all changes from `before` to `after`, in the order of reading.

    `registers` contains the names of codes, such as those of areas, for the wording of the changes.
    """
    all_changes: list[Change] = []
    names = Names(schema, before, after, registers=registers)
    old_about, new_about = before["about"], after["about"]
    all_changes += [
        Change(
            schema=schema,
            kind="changed",
            what="about",
            key="",
            label="",
            field=field.code,
            was=old_about[field.code],
            now=new_about[field.code],
        )
        for field in schema.about
        if old_about[field.code] != new_about[field.code]
    ]
    for collection in schema.collections:
        if before[collection.code] != after[collection.code]:
            all_changes += _list_changes(schema, collection, before[collection.code], after[collection.code], names)
    return tuple(all_changes)


def _list_changes(
    schema: Schema, collection: Collection, before: list[Item], after: list[Item], names: Names
) -> list[Change]:
    """Return the changes between two lists of items. Removed items come last."""
    changes: list[Change] = []
    new_keys = {item["key"] for item in after}
    old_places = {item["key"]: place for place, item in enumerate(before)}
    moved_places = _moved_places([old_places[item["key"]] for item in after if item["key"] in old_places])
    unmoved_keys = {key for key, place in old_places.items() if place not in moved_places} & new_keys

    def change_of(item: Item, place: int, **details: Any) -> Change:
        return Change(
            schema=schema,
            what=collection.singular,
            key=item["key"],
            label=str(item[collection.title_field]),
            place=place,
            **details,
        )

    for place, item in enumerate(after):
        old_place = old_places.get(item["key"])
        if old_place is None:
            changes.append(change_of(item, place, kind="added", now=item))
            continue
        if old_place in moved_places:
            old_name = new_name = ""
            if old_place == place:
                # The item moved, but other items were added or removed, so its place has the same number as before.
                # Name the neighbouring items instead of the place.
                old_name, new_name = distinct_names(
                    _place_in_words(collection, before, place, unmoved_keys),
                    _place_in_words(collection, after, place, unmoved_keys),
                )
            changes.append(
                change_of(item, place, kind="moved", was=old_place, now=place, was_name=old_name, now_name=new_name)
            )
        changes += _item_changes(schema, collection, before[old_place], item, names)

    for place, item in enumerate(before):
        if item["key"] not in new_keys:
            changes.append(change_of(item, place, kind="removed", was=item))
    return changes


def _item_changes(schema: Schema, collection: Collection, before: Item, after: Item, names: Names) -> list[Change]:
    """Return the changes of the fields and counts of one item."""
    if before == after:
        return []
    change = partial(Change, schema=schema, key=after["key"], label=str(after[collection.title_field]))
    changes = []
    for field in collection.fields:
        old_value, new_value = before[field.code], after[field.code]
        if old_value != new_value:
            old_name, new_name = names.both_in_words(field, old_value, new_value)
            changes.append(
                change(
                    kind="changed",
                    what=collection.singular,
                    field=field.code,
                    was=old_value,
                    now=new_value,
                    was_name=old_name,
                    now_name=new_name,
                )
            )
    counts = collection.counts
    if counts and before[counts.code] != after[counts.code]:
        change = partial(change, what=counts.code, field=counts.code)
        changes += _count_changes(counts, counts.by_line(before), counts.by_line(after), change)
    return changes


def _place_in_words(collection: Collection, items: list[Item], place: int, unmoved_keys: set[str]) -> str:
    """Return a place in words, such as "place 3, after North Quay", with the nearest item that has not moved."""
    unmoved_before = [item for item in items[:place] if item["key"] in unmoved_keys]
    if unmoved_before:
        return f"place {place + 1}, after {unmoved_before[-1][collection.title_field]}"
    first_unmoved = next(item for item in items if item["key"] in unmoved_keys)
    return f"place {place + 1}, before {first_unmoved[collection.title_field]}"


def _count_changes(
    counts: Counts, before: dict[Line, int], after: dict[Line, int], change: Callable[..., Change]
) -> list[Change]:
    """Return the changes in the counts of one item.

    Moves from one period to another come first, then the remaining differences. `change` creates a change of this
    item.
    """
    changes = []
    after_moves = dict(before)
    for from_line, to_line, count in _moves(counts, before, after):
        changes.append(change(kind="moved", was=count, now=count, line=to_line, from_line=from_line))
        after_moves[from_line] -= count
        after_moves[to_line] = after_moves.get(to_line, 0) + count

    for line in sorted({*before, *after}, key=counts.order):
        old_count, moved_count, new_count = before.get(line, 0), after_moves.get(line, 0), after.get(line, 0)
        if moved_count == new_count:
            continue
        kind: Kind = "changed"
        if line not in before:
            kind = "added"
        elif line not in after:
            kind = "removed"
        changes.append(change(kind=kind, was=old_count, now=new_count, line=line, net_moved=moved_count - old_count))
    return changes


def _moves(counts: Counts, before: dict[Line, int], after: dict[Line, int]) -> Iterator[tuple[Line, Line, int]]:
    """Yield each move of counts from one period to another, as the old line, the new line and how many moved.

    For example, if a site has 30 homes fewer in 2026-27 and 20 more of the same kind in 2027-28, 20 homes moved.
    """
    if counts.without_period is None:
        return
    # The decreases and increases of lines, grouped by what the lines have in common besides their period.
    losses_by_group: dict[Line, dict[Line, int]] = {}
    gains_by_group: dict[Line, dict[Line, int]] = {}
    for line in sorted({*before, *after}, key=counts.order):
        difference = after.get(line, 0) - before.get(line, 0)
        if difference:
            differences_by_group = losses_by_group if difference < 0 else gains_by_group
            differences_by_group.setdefault(counts.without_period(line), {})[line] = abs(difference)
    for line_without_period, losses in losses_by_group.items():
        gains = gains_by_group.get(line_without_period, {})
        for from_line, to_line in product(losses, gains):
            count = min(losses[from_line], gains[to_line])
            if count:
                losses[from_line] -= count
                gains[to_line] -= count
                yield from_line, to_line, count


def _moved_places(places: Sequence[int]) -> set[int]:
    """Return the fewest old places that must move so that the other places are in ascending order.

    The other places are a longest increasing subsequence, which patience sorting finds in n log n.
    """
    if all(earlier < later for earlier, later in pairwise(places)):
        return set()
    # The place on top of each pile, and its index in `places`.
    top_places: list[int] = []
    top_indexes: list[int] = []
    # For each place, the index of the top of the previous pile at the time of placing; -1 on the first pile.
    previous_indexes: list[int] = []
    for index, place in enumerate(places):
        pile = bisect_left(top_places, place)
        previous_indexes.append(top_indexes[pile - 1] if pile else -1)
        if pile == len(top_places):
            top_places.append(place)
            top_indexes.append(index)
        else:
            top_places[pile] = place
            top_indexes[pile] = index

    unmoved: set[int] = set()
    index = top_indexes[-1]
    while index >= 0:
        unmoved.add(places[index])
        index = previous_indexes[index]
    return set(places) - unmoved
