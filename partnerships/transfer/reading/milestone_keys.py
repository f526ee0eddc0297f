"""Give each milestone of a local plan a key that it keeps in later files."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from partnerships.transfer.reading.plan_rows import Milestone


def milestone_keys(
    milestones: Sequence[Milestone], before: Sequence[Mapping[str, str]], *, used_keys: Collection[str] = ()
) -> tuple[str, ...]:
    """Return a key for each milestone, which it keeps in later files.

    A key is the event of the milestone, followed by a number if the event occurs several times. For example, if
    `before`, the previous version, has `consultation` in 2020 and `consultation-2` in 2024, a consultation in 2024 gets
    `consultation-2`, and one in 2021 gets `consultation`. A third consultation gets `consultation-3`. Keys in
    `used_keys` belong to other rows, and no milestone gets them.
    """
    indexes_by_event: dict[str, list[int]] = {}
    for index, milestone in enumerate(milestones):
        indexes_by_event.setdefault(_slug(milestone.event), []).append(index)

    keys: dict[int, str] = {}
    for event, indexes in indexes_by_event.items():
        date_by_earlier_key = {
            item["key"]: item.get("actual") or item.get("forecast") or ""
            for item in before
            if is_of_event(item["key"], event) and item["key"] not in used_keys
        }
        dates = [str(milestones[index].latest) for index in indexes]
        keys_of_event = _keys_of_event(event, dates, date_by_earlier_key, {*used_keys, *keys.values()})
        keys.update(zip(indexes, keys_of_event, strict=True))
    return tuple(keys[index] for index in range(len(milestones)))


def _keys_of_event(
    event: str, dates: Sequence[str], date_by_earlier_key: Mapping[str, str], used_keys: Collection[str]
) -> list[str]:
    """Return a key for each of these dates of one event.

    A date first gets the earlier key with the same date. The other dates get the remaining earlier keys in order, and
    then new keys.
    """
    key_by_index: dict[int, str] = {}
    remaining_dates = dict(date_by_earlier_key)
    for index, date in enumerate(dates):
        same_key = next((key for key, earlier_date in remaining_dates.items() if earlier_date == date), None)
        if same_key is not None:
            key_by_index[index] = same_key
            del remaining_dates[same_key]

    # Shorter keys first, so that `event-2` comes before `event-10`.
    remaining_keys = sorted(remaining_dates, key=lambda key: (len(key), key))
    taken_keys = {*date_by_earlier_key, *used_keys}
    for index in range(len(dates)):
        if index in key_by_index:
            continue
        key_by_index[index] = remaining_keys.pop(0) if remaining_keys else _new_key(event, taken_keys)
        taken_keys.add(key_by_index[index])
    return [key_by_index[index] for index in range(len(dates))]


def _new_key(event: str, taken_keys: Collection[str]) -> str:
    """Return `event`, or the first of `event-2`, `event-3` and so on, that is not taken yet."""
    count, key = 1, event
    while key in taken_keys:
        count += 1
        key = f"{event}-{count}"
    return key


def corrected_keys(
    milestones: Sequence[Milestone], rows: Sequence[tuple[str, Mapping[str, str]]], before: Sequence[Mapping[str, str]]
) -> tuple[str, ...]:
    """Return a key for each milestone of a file that has only the corrected rows of a plan.

    `rows` has the key and the cells of each saved row of the plan. A milestone gets the key of the saved row with the
    same event and reference. A milestone with a new reference never gets the key of a row with another reference. A
    milestone without a reference may get any key of its event.
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
    # Milestones with a reference come first, because fewer keys are possible for them.
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
    """Return whether a saved row and a milestone have the same event and reference.

    Files from before the standard have no column for the actual date. In these, two rows entered on the same day may
    have the same reference by mistake, so all their cells must be equal too.
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
    """Return an event as it is written in keys, for example “plan-adopted”."""
    return re.sub(r"[^a-z0-9]+", "-", event.casefold()).strip("-")[:80].strip("-") or "event"
