"""Work out the status of a milestone."""

from __future__ import annotations

from partnerships.documents import Item

#: The statuses of milestones that need no further action.
SETTLED = ("achieved", "cancelled")


def milestone_status(item: Item) -> str:
    """Return the status of a milestone. With an actual date, it is "achieved" unless it was cancelled."""
    status: str = item["status"]
    return "achieved" if item["actual"] and status != "cancelled" else status
