"""Keys by which milestones of a local plan are known in later files."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from partnerships.transfer.reading.local_plans import Milestone


def milestone_keys(
    milestones: Sequence[Milestone], before: Sequence[Mapping[str, str]], *, taken_by_others: Collection[str] = ()
) -> tuple[str, ...]:
    """Return keys for milestones that stay the same in later files.

    An event that occurs once in a plan is known by its kind. If a kind occurs several times, a row keeps the key of the
    milestone with its date in `before` (the previous version's); others take the unused keys in order, then new ones.
    Keys `taken_by_others` belong to other rows.
    """
    keys: dict[int, str] = {}
    events: dict[str, list[int]] = {}
    for place, milestone in enumerate(milestones):
        events.setdefault(_slug(milestone.event), []).append(place)
    for event, places in events.items():
        date_by_key = {
            item["key"]: item.get("actual") or item.get("forecast") or ""
            for item in before
            if is_of_event(item["key"], event) and item["key"] not in taken_by_others
        }
        places_without_key = []
        for place in places:
            key_of_date = next(
                (key for key, date in date_by_key.items() if date == str(milestones[place].latest)), None
            )
            if key_of_date is None:
                places_without_key.append(place)
            else:
                keys[place] = key_of_date
                del date_by_key[key_of_date]
        unused_keys = sorted(date_by_key, key=lambda key: (len(key), key))
        taken_keys = {*keys.values(), *unused_keys, *taken_by_others}
        for place in places_without_key:
            if unused_keys:
                keys[place] = unused_keys.pop(0)
                continue
            keys[place] = _new_key(event, taken_keys)
            taken_keys.add(keys[place])
    return tuple(keys[place] for place in range(len(milestones)))


def _new_key(event: str, taken_keys: Collection[str]) -> str:
    """`event`, else `event-2`, `event-3` and so on: the first that is not taken."""
    count, key = 1, event
    while key in taken_keys:
        count += 1
        key = f"{event}-{count}"
    return key


def corrected_keys(
    milestones: Sequence[Milestone], rows: Sequence[tuple[str, Mapping[str, str]]], before: Sequence[Mapping[str, str]]
) -> tuple[str, ...]:
    """Return keys for milestones whose rows come alone, because only they were set aside.

    `rows` are keys and texts of the plan's rows that were read before. A row with a known reference of its event keeps
    the key. One with a new reference is another milestone; one without may be any of its event.
    """
    keys: dict[int, str] = {}
    for place, milestone in enumerate(milestones):
        same = [(key, cells) for key, cells in rows if key not in keys.values() and _is_same(milestone, key, cells)]
        if same:
            # A row with the very same cells comes first.
            keys[place] = min(same, key=lambda row: row[1] != milestone.cells)[0]
    with_reference = {key for key, cells in rows if cells.get("reference")}
    for has_reference in (True, False):
        places = [
            place
            for place, milestone in enumerate(milestones)
            if place not in keys and bool(milestone.cells.get("reference")) is has_reference
        ]
        keys_of_others = {*keys.values(), *(with_reference if has_reference else ())}
        new_keys = milestone_keys([milestones[place] for place in places], before, taken_by_others=keys_of_others)
        keys.update(zip(places, new_keys, strict=True))
    return tuple(keys[place] for place in range(len(milestones)))


def _is_same(milestone: Milestone, key: str, cells: Mapping[str, str]) -> bool:
    """Return whether a row that was read before is this milestone's.

    In the withdrawn form two rows of one day may share a reference.
    """
    own = milestone.cells
    if not own.get("reference") or cells.get("reference") != own["reference"] or not is_of_event(key, milestone.event):
        return False
    return cells == own or "actual-date" in own or cells.get("entry-date") != own.get("entry-date")


def is_of_event(key: str, event: str) -> bool:
    """Return whether a milestone's key is one of this event."""
    return re.fullmatch(re.escape(_slug(event)) + r"(-[2-9]|-\d\d+)?", key) is not None


def _slug(event: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", event.casefold()).strip("-")[:80].strip("-") or "event"
