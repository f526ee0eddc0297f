"""Work out which version of the terms is in force on a day.

An entry says that a version is in force from a day on. Entries are added, never changed. If two entries are for one
day, the entry that was decided later applies.

An amendment changes only some parts of the terms. From its first day, it must apply to all versions, including those
that come into force later. For example, version 1 is in force, and version 2 has been signed for 1 April. An amendment
for 1 March then adds two entries. From 1 March, version 1 with the amendment is in force. From 1 April, version 2 with
the amendment is. `versions_to_write` returns these versions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from partnerships.documents import Content, Schema, rebase


@dataclass(frozen=True, slots=True, order=True)
class InForceEntry:
    """The version that is in force from a day on."""

    day: dt.date
    #: The later the decision, the higher this number. Of two entries for one day, the higher one applies.
    order: int
    version_id: int


@dataclass(frozen=True, slots=True)
class Addition:
    """A version that must be written, and the day from which it is in force."""

    day: dt.date
    #: The version that the amendment changes, or None if no terms were in force.
    base_id: int | None
    content: Content


def entries_that_apply(entries: Iterable[InForceEntry]) -> list[InForceEntry]:
    """Return for each day only the entry that was decided last, in order of the days."""
    entry_by_day: dict[dt.date, InForceEntry] = {}
    # Entries sort by day, then by decision, so a later decision replaces an earlier one.
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

    The first version is in force from that day. There is another one for each later day from which a signed version is
    due to be in force. `drafted_from` is the content from which the draft was begun, or None for the first terms.
    """
    current_entry = entry_in_force_on(entries, day)
    base_id_by_day = {day: current_entry.version_id if current_entry else None}
    base_id_by_day |= {entry.day: entry.version_id for entry in entries_that_apply(entries) if entry.day > day}

    additions = []
    for first_day, base_id in base_id_by_day.items():
        content = draft
        if base_id is not None and drafted_from is not None:
            content = rebase(schema, draft, drafted_from, content_of(base_id))
        additions.append(Addition(day=first_day, base_id=base_id, content=content))
    return additions
