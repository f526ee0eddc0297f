"""Keys by which milestones of a local plan are known in later files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from partnerships.transfer.reading.local_plans import Milestone


def milestone_keys(milestones: Sequence[Milestone], before: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Keys for milestones that stay the same in later files.

    An event that occurs once in a plan is known by its kind. If a kind occurs several times, a row keeps the key of the
    milestone with its date in `before` (the previous version's); others take the unused keys in order, then new ones.
    """
    keys: dict[int, str] = {}
    events: dict[str, list[int]] = {}
    for place, milestone in enumerate(milestones):
        events.setdefault(_slug(milestone.event), []).append(place)
    for event, places in events.items():
        known = {
            item["key"]: item.get("actual") or item.get("forecast") or ""
            for item in before
            if is_of_event(item["key"], event)
        }
        waiting = []
        for place in places:
            same = next((key for key, date in known.items() if date == str(milestones[place].latest)), None)
            if same is None:
                waiting.append(place)
            else:
                keys[place] = same
                del known[same]
        left = sorted(known, key=lambda key: (len(key), key))
        taken = set(keys.values()) | set(left)
        for place in waiting:
            if left:
                keys[place] = left.pop(0)
                continue
            count, key = 1, event
            while key in taken:
                count += 1
                key = f"{event}-{count}"
            taken.add(key)
            keys[place] = key
    return tuple(keys[place] for place in range(len(milestones)))


def is_of_event(key: str, event: str) -> bool:
    """Whether a milestone's key is one of this event."""
    return re.fullmatch(re.escape(_slug(event)) + r"(-[2-9]|-\d\d+)?", key) is not None


def _slug(event: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", event.casefold()).strip("-")[:80].strip("-") or "event"
