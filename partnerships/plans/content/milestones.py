"""The status of a milestone, and the statuses that settle it."""

from __future__ import annotations

from partnerships.documents import Item

#: The statuses of milestones that need no further action.
SETTLED = ("achieved", "cancelled")


def milestone_status(item: Item) -> str:
    """Return the status of a milestone: achieved once it has an actual date, unless it was cancelled."""
    status: str = item["status"]
    return "achieved" if item["actual"] and status != "cancelled" else status
