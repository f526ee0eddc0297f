"""Finding what must be done to one content to get another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from partnerships.plans.changes.change import Change, Kind
from partnerships.plans.changes.naming import NO_AREAS, Names, both_said
from partnerships.plans.content import ABOUT, COLLECTIONS, Collection, Content, Field, Item, line_of, line_order


def changes(a: Content, b: Content, areas: Mapping[str, str] = NO_AREAS) -> tuple[Change, ...]:
    """Give everything that must be done to `a` to get `b`, in the order in which a plan is read.

    `areas` names GSS codes, for the words of the changes.
    """
    found: list[Change] = []
    names = Names(a, b, areas=areas)
    if a["about"] != b["about"]:
        was, now = a["about"], b["about"]
        found += [
            Change("changed", "about", "", "", field.code, was[field.code], now[field.code])
            for field in ABOUT
            if was[field.code] != now[field.code]
        ]
    for collection in COLLECTIONS:
        if a[collection.code] != b[collection.code]:
            found += _of_list(collection, a[collection.code], b[collection.code], names)
    return tuple(found)


def _of_list(collection: Collection, a: list[Item], b: list[Item], names: Names) -> list[Change]:
    found: list[Change] = []
    was_at = {item["key"]: place for place, item in enumerate(a)}
    now_at = {item["key"]: place for place, item in enumerate(b)}
    moved = _moved([was_at[item["key"]] for item in b if item["key"] in was_at])
    for place, now in enumerate(b):
        key = now["key"]
        label = str(now[collection.title])
        old_place = was_at.get(key)
        if old_place is None:
            found.append(Change("added", collection.one, key, label, now=now, place=place))
            continue
        if old_place in moved:
            before, after = ("", "")
            if old_place == place:  # others came or went: the same number is another place among those that stayed
                stay = {item["key"] for item in b if item["key"] in was_at and was_at[item["key"]] not in moved}
                before, after = both_said(*(_beside(collection, items, place, stay) for items in (a, b)))
            found.append(
                Change(
                    "moved",
                    collection.one,
                    key,
                    label,
                    "",
                    old_place,
                    place,
                    None,
                    place,
                    was_name=before,
                    now_name=after,
                )
            )
        was = a[old_place]
        if was != now:
            found += [
                _of_field(collection.one, key, label, field, was[field.code], now[field.code], names)
                for field in collection.fields
                if was[field.code] != now[field.code]
            ]
            if collection.one == "site" and was["homes"] != now["homes"]:
                found += _of_homes(key, label, was["homes"], now["homes"])
    found += [
        Change("removed", collection.one, item["key"], str(item[collection.title]), was=item, place=place)
        for place, item in enumerate(a)
        if item["key"] not in now_at
    ]
    return found


def _beside(collection: Collection, items: list[Item], place: int, stay: set[str]) -> str:
    """Say a place by the nearest item before it that stays where it is, or by the first of those if there is none."""
    others = [item for item in items[:place] if item["key"] in stay]
    if others:
        return f"place {place + 1}, after {others[-1][collection.title]}"
    first = next(item for item in items if item["key"] in stay)
    return f"place {place + 1}, before {first[collection.title]}"


def _of_field(what: str, key: str, label: str, field: Field, was: Any, now: Any, names: Names) -> Change:
    before, after = names.say_both(field, was, now)
    return Change("changed", what, key, label, field.code, was, now, was_name=before, now_name=after)


def _of_homes(key: str, label: str, a: list[Item], b: list[Item]) -> list[Change]:
    was = {line_of(homes): int(homes["count"]) for homes in a}
    now = {line_of(homes): int(homes["count"]) for homes in b}
    found: list[Change] = []
    for line in sorted({*was, *now}, key=line_order):
        before, after = was.get(line, 0), now.get(line, 0)
        if before != after:
            kind: Kind = "added" if line not in was else "removed" if line not in now else "changed"
            found.append(Change(kind, "homes", key, label, "homes", before, after, line))
    return found


def _moved(places: Sequence[int]) -> set[int]:
    """Find the fewest of the distinct old places that must move so that the rest are ascending.

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
