"""The directions, audiences and statuses of asks and offers."""

from __future__ import annotations

import datetime as dt

from django.db import models


class Direction(models.TextChoices):
    """Whether an entry requests something (an ask) or contributes something (an offer)."""

    ASK = "ask", "Ask"
    OFFER = "offer", "Offer"


class Audience(models.TextChoices):
    """The organisations that an entry is shared with."""

    NAMED = "named", "Named partners"
    PARTNERSHIP = "partnership", "A partnership"
    NETWORK = "network", "The whole network"


class Status(models.TextChoices):
    """The status of an entry. `TRANSITIONS` has the statuses that may follow each status."""

    DRAFT = "draft", "Draft"
    SHARED = "shared", "Shared"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    ACCEPTED = "accepted", "Accepted"
    PART_ACCEPTED = "part_accepted", "Part-accepted"
    DECLINED = "declined", "Declined"
    TAKEN_UP = "taken_up", "Taken up"
    COMMITTED = "committed", "Committed"
    MET = "met", "Met"
    DELIVERED = "delivered", "Delivered"
    LAPSED = "lapsed", "Lapsed"
    WITHDRAWN = "withdrawn", "Withdrawn"


#: Allowed next statuses of asks and offers (docs/rights.md).
TRANSITIONS: dict[str, dict[str, tuple[str, ...]]] = {
    Direction.ASK: {
        Status.DRAFT: (Status.SHARED, Status.WITHDRAWN),
        Status.SHARED: (
            Status.ACKNOWLEDGED,
            Status.ACCEPTED,
            Status.PART_ACCEPTED,
            Status.DECLINED,
            Status.LAPSED,
            Status.WITHDRAWN,
        ),
        Status.ACKNOWLEDGED: (
            Status.ACCEPTED,
            Status.PART_ACCEPTED,
            Status.DECLINED,
            Status.LAPSED,
            Status.WITHDRAWN,
        ),
        Status.PART_ACCEPTED: (
            Status.ACCEPTED,
            Status.COMMITTED,
            Status.MET,
            Status.LAPSED,
            Status.WITHDRAWN,
        ),
        Status.ACCEPTED: (Status.COMMITTED, Status.MET, Status.LAPSED, Status.WITHDRAWN),
        Status.COMMITTED: (Status.MET, Status.LAPSED, Status.WITHDRAWN),
    },
    Direction.OFFER: {
        Status.DRAFT: (Status.SHARED, Status.WITHDRAWN),
        Status.SHARED: (Status.TAKEN_UP, Status.LAPSED, Status.WITHDRAWN),
        Status.TAKEN_UP: (Status.COMMITTED, Status.DELIVERED, Status.LAPSED, Status.WITHDRAWN),
        Status.COMMITTED: (Status.DELIVERED, Status.LAPSED, Status.WITHDRAWN),
    },
}

#: Earlier statuses to which an entry returns when an agreed commitment falls through. Only `services/status.py` moves
#: an entry back; people cannot.
EARLIER_STATUSES: dict[str, dict[str, tuple[str, ...]]] = {
    Direction.ASK: {
        Status.PART_ACCEPTED: (Status.ACKNOWLEDGED, Status.SHARED),
        Status.ACCEPTED: (Status.PART_ACCEPTED, Status.ACKNOWLEDGED, Status.SHARED),
        Status.COMMITTED: (Status.ACCEPTED, Status.PART_ACCEPTED, Status.ACKNOWLEDGED, Status.SHARED),
    },
    Direction.OFFER: {
        Status.TAKEN_UP: (Status.SHARED,),
        Status.COMMITTED: (Status.TAKEN_UP, Status.SHARED),
    },
}

#: Statuses of shared entries for which no answer has been accepted.
UNANSWERED_STATUSES = (Status.SHARED, Status.ACKNOWLEDGED)
#: Final statuses.
FINAL_STATUSES = (Status.DECLINED, Status.MET, Status.DELIVERED, Status.LAPSED, Status.WITHDRAWN)
#: Statuses that allow answers. An entry is open (`is_open`) only if some of its quantity is also left.
ANSWERABLE_STATUSES = (Status.SHARED, Status.ACKNOWLEDGED, Status.PART_ACCEPTED, Status.TAKEN_UP)


def status_in_words(status: str, answered_at: dt.datetime | None, *, standing: bool) -> str:
    """Return the status of an entry as readers see it.

    It is "Answered" while the entry's organisation has not decided about an answer. A standing offer remains "Shared"
    however often it is answered.
    """
    if status in UNANSWERED_STATUSES and answered_at is not None and not standing:
        return "Answered"
    return Status(status).label
