"""Groups a summary by record: notices about the record, and the reader's open tasks on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from partnerships.digests.planning.notices import MAX_NOTICES, NoticeLine
from partnerships.kit.waiting import WaitingTask


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in a summary: its newest notice, its earlier notices, and the reader's open tasks on its page."""

    newest: NoticeLine
    earlier: tuple[str, ...] = ()
    to_do: tuple[WaitingTask, ...] = ()

    @property
    def headline(self) -> str:
        """Return the partnership and the subject of the newest notice."""
        return ": ".join(filter(None, [self.newest.partnership, self.newest.subject]))


def entries_of(lines: Sequence[NoticeLine], waiting: Sequence[WaitingTask]) -> tuple[list[Entry], list[WaitingTask]]:
    """Return one entry for each record that these notices are about, and the tasks on the pages of other records.

    Only as many notices count as an email lists. A notice without a record is an entry by itself.
    """
    lines_by_page: dict[str, list[NoticeLine]] = {}
    for line in lines[:MAX_NOTICES]:
        lines_by_page.setdefault(line.record or line.path, []).append(line)

    entries: list[Entry] = []
    for page, page_lines in lines_by_page.items():
        *earlier_lines, newest = page_lines
        earlier_subjects = [line.subject for line in earlier_lines if line.subject != newest.subject]
        entries.append(
            Entry(
                newest=newest,
                earlier=tuple(dict.fromkeys(earlier_subjects)),
                to_do=tuple(task for task in waiting if task.path == page),
            )
        )
    return entries, [task for task in waiting if task.path not in lines_by_page]


def waiting_in(lines: Sequence[NoticeLine], waiting: Sequence[WaitingTask], *, limit: int) -> list[WaitingTask]:
    """Return the tasks that an email lists: all tasks in its entries, and up to `limit` others."""
    entries, other_tasks = entries_of(lines, waiting)
    return [*(task for entry in entries for task in entry.to_do), *other_tasks[:limit]]
