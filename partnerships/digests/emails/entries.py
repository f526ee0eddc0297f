"""What a summary says about each record.

Its notices, and what waits there for the reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from partnerships.digests.planning.notices import MAX_NOTICES, NoticeLine
from partnerships.kit.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: the newest notice about it, earlier ones, and what to do there."""

    newest: NoticeLine
    earlier: tuple[str, ...] = ()
    to_do: tuple[Waiting, ...] = ()

    @property
    def headline(self) -> str:
        """The partnership and the subject of the newest notice."""
        return ": ".join(filter(None, [self.newest.partnership, self.newest.subject]))


def entries_of(lines: Sequence[NoticeLine], waiting: Sequence[Waiting]) -> tuple[list[Entry], list[Waiting]]:
    """One entry for each record that these notices are about, and what else waits.

    Only the notices that an email lists count. A notice without a record is an entry of its own.
    """
    about: dict[str, list[NoticeLine]] = {}
    for line in lines[:MAX_NOTICES]:
        about.setdefault(line.record or line.path, []).append(line)
    entries = [
        Entry(
            newest=entry_lines[-1],
            earlier=tuple(
                dict.fromkeys(line.subject for line in entry_lines[:-1] if line.subject != entry_lines[-1].subject)
            ),
            to_do=tuple(line for line in waiting if line.path == page),
        )
        for page, entry_lines in about.items()
    ]
    return entries, [line for line in waiting if line.path not in about]


def waiting_in(lines: Sequence[NoticeLine], waiting: Sequence[Waiting], *, limit: int) -> list[Waiting]:
    """What an email says is waiting: in its entries, and up to `limit` besides."""
    entries, other_entries = entries_of(lines, waiting)
    return [*(line for entry in entries for line in entry.to_do), *other_entries[:limit]]
