"""Groups the notices and open tasks in a summary by the record that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from partnerships.digests.planning.notices import MAX_NOTICES, NoticeLine
from partnerships.kit.waiting import WaitingTask


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in a summary, with its notices and the reader's open tasks on its page.

    For example, the newest notice about a commitment is "C-12 needs your confirmation: 60 homes". Earlier notices are
    shown below it as one line each.
    """

    newest: NoticeLine
    earlier: tuple[str, ...] = ()
    to_do: tuple[WaitingTask, ...] = ()

    @property
    def headline(self) -> str:
        """Return the partnership and the subject of the newest notice."""
        return ": ".join(filter(None, [self.newest.partnership, self.newest.subject]))


def entries_of(lines: Sequence[NoticeLine], waiting: Sequence[WaitingTask]) -> tuple[list[Entry], list[WaitingTask]]:
    """Return an entry for each record that these notices are about, and the tasks on the pages of other records.

    Notices after the first `MAX_NOTICES` are ignored, because the email does not list them. Notices without a record
    are grouped by the page that they link to.
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
    """Return all tasks in the entries of an email, and up to `limit` others."""
    entries, other_tasks = entries_of(lines, waiting)
    return [*(task for entry in entries for task in entry.to_do), *other_tasks[:limit]]
