"""Tasks that are waiting for a person, in the form that My work and digests share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol, TypeAlias, overload

#: Limit of tasks of one kind that are read for a person, the most urgent first. Pages say "more than 1,000".
MAX_LISTED = 1_001


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """A task that is waiting for a person.

    A page shows a few of thousands of tasks. So texts that need a query may be missing until `completer` adds them.
    """

    #: What the person has to do, such as "Answer this ask".
    action: str
    #: The title of the record, and its path on the site.
    title: str
    path: str
    #: When the task began to wait.
    since: dt.datetime | None = None
    due: dt.date | None = None
    #: The title of the record's partnership, or "".
    partnership_title: str = ""
    status: str = ""
    status_label: str = ""
    #: The id of the record. `completer` uses it to find the missing texts of tasks of this kind.
    record_id: int = field(default=0, compare=False)
    completer: TaskCompleter | None = field(default=None, compare=False)

    def oldest_first(self) -> tuple[str, ...]:
        """Return a sort key by due day, then by waiting time. It is different for each task of a person.

        Of tasks that began to wait at the same time, one with a shorter path is first. So records of one kind are in
        order of their ids, as the rows of `TaskRows` are.
        """
        due = self.due.isoformat() if self.due else "9999-12-31"
        since = self.since.isoformat() if self.since else "9999"
        return (min(due, since[:10]), since, f"{len(self.path):03}", self.path, self.title, self.action)


@dataclass(frozen=True, slots=True)
class TaskRows(Sequence[WaitingTask]):
    """Tasks of one kind, the most urgent first, which are created from their rows only when somebody reads them.

    A page shows a few of thousands of tasks, but counts them all. `due` returns the due day of a row.
    """

    rows: Sequence[Any]
    make: Callable[[Any], WaitingTask]
    due: Callable[[Any], dt.date | None]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> WaitingTask: ...

    @overload
    def __getitem__(self, index: slice) -> list[WaitingTask]: ...

    def __getitem__(self, index: int | slice) -> WaitingTask | list[WaitingTask]:
        if isinstance(index, slice):
            return [self.make(row) for row in self.rows[index]]
        return self.make(self.rows[index])


#: A sort key for rows of one kind, in the same order as `WaitingTask.oldest_first` sorts their tasks.
Urgency: TypeAlias = tuple[dt.date, dt.datetime, int]
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def urgency(due: dt.date | None, since: dt.datetime | None, pk: int) -> Urgency:
    """Return the sort key of a row by its due day, the time since when it has been waiting, and its id."""
    waiting_since = since or _NEVER
    return min(due or dt.date.max, waiting_since.date()), waiting_since, pk


class Work:
    """All tasks of one person, of many kinds."""

    def __init__(self, kinds: Iterable[Sequence[WaitingTask]]) -> None:
        self._kinds = list(kinds)

    def __len__(self) -> int:
        return sum(map(len, self._kinds))

    def first(self, count: int | None = None) -> list[WaitingTask]:
        """Return the `count` most urgent tasks, the most urgent first. Without `count`, return all tasks."""
        tasks = (kind[:count] if isinstance(kind, TaskRows) else kind for kind in self._kinds)
        return sorted(chain.from_iterable(tasks), key=WaitingTask.oldest_first)[:count]

    def due_by(self, day: dt.date) -> int:
        """Return how many tasks are due by the end of a day."""
        return sum(1 for due in chain.from_iterable(map(_due_days, self._kinds)) if due and due <= day)


def _due_days(kind: Sequence[WaitingTask]) -> Iterable[dt.date | None]:
    """Return the due days of tasks of one kind, without creating the tasks of a `TaskRows`."""
    if isinstance(kind, TaskRows):
        return map(kind.due, kind.rows)
    return (task.due for task in kind)


class TaskCompleter(Protocol):
    """A function that adds the missing texts to tasks of one kind.

    All tasks with an equal `completer` are completed in one call.
    """

    def __call__(self, tasks: Sequence[WaitingTask]) -> list[WaitingTask]:
        """Return the same tasks with all their texts, in the same order."""

    def lookups(self, tasks: Sequence[WaitingTask]) -> Sequence[Any]:
        """Return the rights that the call will look up for these tasks, so that `read_ahead` can read them together."""
