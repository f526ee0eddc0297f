"""What waits for a person: one shape, for My work and digests."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits for somebody.

    `what` says what to do ("Answer this ask"), `title` names the record, `path` is its address on the site, `since`
    the moment it
    began to wait, `due` its last day where it has one, `within` the title of the partnership it belongs to (empty:
    none).
    """

    what: str
    title: str
    path: str
    since: dt.datetime | None = None
    due: dt.date | None = None
    within: str = ""
    status: str = ""
    status_label: str = ""

    def oldest_first(self) -> tuple[str, str, str]:
        """A sort key: by due day, then by waiting time, then the rest."""
        due = self.due.isoformat() if self.due else "9999-12-31"
        since = self.since.isoformat() if self.since else "9999"
        return (min(due, since[:10]), since, self.title)
