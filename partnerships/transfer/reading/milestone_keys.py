"""Give the milestones of a local plan keys that stay the same in later files."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from partnerships.transfer.reading.plan_rows import Milestone


def milestone_keys(
    milestones: Sequence[Milestone], before: Sequence[Mapping[str, str]], *, used_keys: Collection[str] = ()
) -> tuple[str, ...]:
    """Return keys for milestones that stay the same in later files.

    The key of an event that occurs once in a plan is made from the event. If an event occurs several times, a row
    gets the key of the milestone with the same date in `before`, the previous version. The remaining rows get the
    unused keys of the event in order, and then new keys. The `used_keys` belong to other rows, and are not given out
    again.
    """
    keys: dict[int, str] = {}
    indexes_by_event: dict[str, list[int]] = {}
    for index, milestone in enumerate(milestones):
        indexes_by_event.setdefault(_slug(milestone.event), []).append(index)
    for event, indexes in indexes_by_event.items():
        date_by_key = {
            item["key"]: item.get("actual") or item.get("forecast") or ""
            for item in before
            if is_of_event(item["key"], event) and item["key"] not in used_keys
        }

        indexes_without_key = []
        for index in indexes:
            key_of_date = next(
                (key for key, date in date_by_key.items() if date == str(milestones[index].latest)), None
            )
            if key_of_date is None:
                indexes_without_key.append(index)
            else:
                keys[index] = key_of_date
                del date_by_key[key_of_date]

        unused_keys = sorted(date_by_key, key=lambda key: (len(key), key))
        taken_keys = {*keys.values(), *unused_keys, *used_keys}
        for index in indexes_without_key:
            if unused_keys:
                keys[index] = unused_keys.pop(0)
                continue
            keys[index] = _new_key(event, taken_keys)
            taken_keys.add(keys[index])
    return tuple(keys[index] for index in range(len(milestones)))


def _new_key(event: str, taken_keys: Collection[str]) -> str:
    """Return the first of `event`, `event-2`, `event-3` and so on that is not taken."""
    count, key = 1, event
    while key in taken_keys:
        count += 1
        key = f"{event}-{count}"
    return key


def corrected_keys(
    milestones: Sequence[Milestone], rows: Sequence[tuple[str, Mapping[str, str]]], before: Sequence[Mapping[str, str]]
) -> tuple[str, ...]:
    """Return keys for milestones of corrected rows, which were uploaded without the plan's other rows.

    `rows` are the keys and texts of the plan's saved rows. A milestone with the reference of a saved row of its event
    gets the key of that row. A milestone with a new reference is a new one; a milestone without a reference may be any
    of its event.
    """
    keys: dict[int, str] = {}
    for index, milestone in enumerate(milestones):
        same_rows = [
            (key, cells) for key, cells in rows if key not in keys.values() and _is_same(milestone, key, cells)
        ]
        if same_rows:
            # Of several such rows, one with the very same cells is preferred.
            key, _cells = min(same_rows, key=lambda row: row[1] != milestone.cells)
            keys[index] = key
    keys_with_reference = {key for key, cells in rows if cells.get("reference")}
    # Milestones with a reference get their keys first: they cannot be a saved row that has another reference.
    for has_reference in (True, False):
        indexes = [
            index
            for index, milestone in enumerate(milestones)
            if index not in keys and bool(milestone.cells.get("reference")) is has_reference
        ]
        keys_of_others = {*keys.values(), *(keys_with_reference if has_reference else ())}
        new_keys = milestone_keys([milestones[index] for index in indexes], before, used_keys=keys_of_others)
        keys.update(zip(indexes, new_keys, strict=True))
    return tuple(keys[index] for index in range(len(milestones)))


def _is_same(milestone: Milestone, key: str, cells: Mapping[str, str]) -> bool:
    """Return whether a saved row is the row of this milestone: both have the same event and reference.

    In files before the standard, which have no actual date, two rows entered on the same day may have the same
    reference: these are the same only if all cells are equal.
    """
    own_cells = milestone.cells
    reference = own_cells.get("reference")
    if not reference or cells.get("reference") != reference or not is_of_event(key, milestone.event):
        return False
    is_in_standard = "actual-date" in own_cells
    return cells == own_cells or is_in_standard or cells.get("entry-date") != own_cells.get("entry-date")


def is_of_event(key: str, event: str) -> bool:
    """Return whether a milestone's key was made from this event."""
    return re.fullmatch(re.escape(_slug(event)) + r"(-[2-9]|-\d\d+)?", key) is not None


def _slug(event: str) -> str:
    """Return an event as it stands in keys, for example “plan-adopted”."""
    return re.sub(r"[^a-z0-9]+", "-", event.casefold()).strip("-")[:80].strip("-") or "event"
