"""Which version of the terms is in force on a day.

Each version that comes into force adds an entry: from this day on, this version. Entries are never changed. An entry
supersedes those of the same day that were decided before it.

An amendment changes only what it names. If others come into force before or after its day, every version from its day
on must contain it: `versions_to_write` says which.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from partnerships.documents import Content, Schema, rebase


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """From `day` on, this version; `order` counts the decisions."""

    day: dt.date
    order: int
    version: int


@dataclass(frozen=True, slots=True)
class Addition:
    """A version to write: from `day` on, the amendment on top of `base`.

    `base` is None where nothing was in force.
    """

    day: dt.date
    base: int | None
    content: Content


def timeline(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that count, by day: the last decided of each day."""
    last: dict[dt.date, Entry] = {}
    for entry in sorted(entries):
        last[entry.day] = entry
    return [last[day] for day in sorted(last)]


def in_force_on(entries: Iterable[Entry], day: dt.date) -> Entry | None:
    """The entry in force on a day; None before the first."""
    begun = [entry for entry in entries if entry.day <= day]
    return max(begun, default=None)


def versions_to_write(
    schema: Schema,
    *,
    draft: Content,
    was: Content | None,
    day: dt.date,
    entries: Sequence[Entry],
    content_of: Callable[[int], Content],
) -> list[Addition]:
    """The versions that exist once an amendment comes into force, in order of day.

    `draft` was begun from `was` (None: the first terms). The first addition is in force from `day`; one more follows
    for each later day on which another version comes into force already.
    """
    current_entry = in_force_on(entries, day)
    days = [(day, current_entry.version if current_entry else None)]
    days += [(entry.day, entry.version) for entry in timeline(entries) if entry.day > day]
    additions = []
    for start, base in days:
        whole = draft if base is None or was is None else rebase(schema, draft, was, content_of(base))
        additions.append(Addition(start, base, whole))
    return additions
