"""Work out which version of the terms is in force on a day.

An entry says that a version is in force from a day on. Entries are added, never changed: of two entries for the same
day, the one that was decided later applies.

An amendment changes only some parts of the terms, and it must apply to every version from its day on, also to versions
that are already due on later days. `versions_to_write` returns the versions that must be written for that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from partnerships.documents import Content, Schema, rebase


@dataclass(frozen=True, slots=True, order=True)
class InForceEntry:
    """The version (by id) that is in force from a day on."""

    day: dt.date
    #: Counts the decisions: of two entries for one day, the entry with the higher number applies.
    order: int
    version: int


@dataclass(frozen=True, slots=True)
class Addition:
    """A version to write, which is in force from a day on."""

    day: dt.date
    #: Id of the version that the amendment changes; None if nothing was in force.
    base: int | None
    content: Content


def entries_that_apply(entries: Iterable[InForceEntry]) -> list[InForceEntry]:
    """Return the entries that apply, in order: for each day, the entry that was decided last."""
    entry_by_day: dict[dt.date, InForceEntry] = {}
    for entry in sorted(entries):
        entry_by_day[entry.day] = entry
    return list(entry_by_day.values())


def entry_in_force_on(entries: Iterable[InForceEntry], day: dt.date) -> InForceEntry | None:
    """Return the entry in force on a day, or None before the first entry."""
    return max((entry for entry in entries if entry.day <= day), default=None)


def versions_to_write(
    schema: Schema,
    *,
    draft: Content,
    drafted_from: Content | None,
    day: dt.date,
    entries: Sequence[InForceEntry],
    content_of: Callable[[int], Content],
) -> list[Addition]:
    """Return the versions to write when an amendment comes into force on a day, in order of their days.

    The first version is in force from that day. Another version follows for each later day on which a version is
    already due. `drafted_from` is the content from which the draft was begun, or None for the first terms.
    """
    current_entry = entry_in_force_on(entries, day)
    base_by_day = {day: current_entry.version if current_entry else None}
    base_by_day |= {entry.day: entry.version for entry in entries_that_apply(entries) if entry.day > day}

    additions = []
    for first_day, base in base_by_day.items():
        content = draft
        if base is not None and drafted_from is not None:
            content = rebase(schema, draft, drafted_from, content_of(base))
        additions.append(Addition(day=first_day, base=base, content=content))
    return additions
