"""When a milestone of a plan is settled."""

from __future__ import annotations

from partnerships.documents import Item

#: Milestones in these statuses need nothing more.
SETTLED = ("achieved", "cancelled")


def milestone_status(item: Item) -> str:
    """Return the status of a milestone: achieved once it has an actual date, unless it was cancelled."""
    status: str = item["status"]
    return "achieved" if item["actual"] and status != "cancelled" else status
