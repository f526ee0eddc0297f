"""Kinds and statuses of commitments, and which status may follow which."""

from __future__ import annotations

from django.db import models


class Kind(models.TextChoices):
    """The kind of a commitment.

    Giver and receiver must both confirm a commitment. An action is a task for one organisation, and only this
    organisation confirms it.
    """

    COMMITMENT = "commitment", "Commitment"
    ACTION = "action", "Action"


class Status(models.TextChoices):
    """The status of a commitment."""

    PROPOSED = "proposed", "Proposed"
    AGREED = "agreed", "Agreed"
    IN_PROGRESS = "in_progress", "In progress"
    AT_RISK = "at_risk", "At risk"
    BLOCKED = "blocked", "Blocked"
    DONE = "done", "Done"
    VERIFIED = "verified", "Verified"
    CANCELLED = "cancelled", "Cancelled"
    SUPERSEDED = "superseded", "Superseded"


#: Final statuses of commitments that ended without a verified delivery.
UNDELIVERED_STATUSES = (Status.CANCELLED, Status.SUPERSEDED)
#: The statuses that may follow each status (docs/rights.md). A done commitment is in progress again if the receiver
#: sends the delivery back.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    Status.PROPOSED: (Status.AGREED, *UNDELIVERED_STATUSES),
    Status.AGREED: (Status.IN_PROGRESS, Status.AT_RISK, Status.BLOCKED, Status.DONE, *UNDELIVERED_STATUSES),
    Status.IN_PROGRESS: (Status.AT_RISK, Status.BLOCKED, Status.DONE, *UNDELIVERED_STATUSES),
    Status.AT_RISK: (Status.IN_PROGRESS, Status.BLOCKED, Status.DONE, *UNDELIVERED_STATUSES),
    Status.BLOCKED: (Status.IN_PROGRESS, Status.AT_RISK, Status.DONE, *UNDELIVERED_STATUSES),
    Status.DONE: (Status.VERIFIED, Status.IN_PROGRESS, *UNDELIVERED_STATUSES),
    Status.VERIFIED: (),
    Status.CANCELLED: (),
    Status.SUPERSEDED: (),
}
#: Statuses of commitments that are agreed and not yet done.
UNDER_WAY_STATUSES = (Status.AGREED, Status.IN_PROGRESS, Status.AT_RISK, Status.BLOCKED)
#: Final statuses.
FINAL_STATUSES = (Status.VERIFIED, Status.CANCELLED, Status.SUPERSEDED)
