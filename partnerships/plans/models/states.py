"""Statuses, audiences and reading classes of plans."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """The status of a plan. `TRANSITIONS` lists the statuses that may follow each."""

    DRAFT = "draft", "Draft"
    SHARED = "shared", "Shared for comment"
    AWAITING_SIGN_OFF = "awaiting_sign_off", "Awaiting sign-off"
    AGREED = "agreed", "Agreed"
    MONITORING = "monitoring", "Monitoring"
    SUPERSEDED = "superseded", "Superseded"
    CLOSED = "closed", "Closed"


#: The statuses that may follow each status (docs/rights.md). The first publication changes a draft to shared. A version
#: that is not minor changes an agreed or monitored plan back to awaiting sign-off.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    Status.DRAFT: (Status.SHARED, Status.CLOSED),
    Status.SHARED: (Status.AWAITING_SIGN_OFF, Status.SUPERSEDED, Status.CLOSED),
    Status.AWAITING_SIGN_OFF: (Status.AGREED, Status.SHARED, Status.SUPERSEDED, Status.CLOSED),
    Status.AGREED: (Status.MONITORING, Status.AWAITING_SIGN_OFF, Status.SUPERSEDED, Status.CLOSED),
    Status.MONITORING: (Status.AWAITING_SIGN_OFF, Status.SUPERSEDED, Status.CLOSED),
    Status.SUPERSEDED: (),
    Status.CLOSED: (),
}

#: Statuses in which nothing can be published.
FINAL_STATUSES = (Status.SUPERSEDED, Status.CLOSED)


class Audience(models.TextChoices):
    """Who may read the published versions."""

    OWNERS = "owners", "Its owners only"
    PARTNERSHIP = "partnership", "The partnership"
    NETWORK = "network", "Everyone signed in"
    PUBLIC = "public", "The public"


#: The audiences that include the present parties of the plan's partnership, and those that include everyone signed in.
WIDER_THAN_OWNERS = (Audience.PARTNERSHIP, Audience.NETWORK, Audience.PUBLIC)
WIDER_THAN_PARTNERSHIP = (Audience.NETWORK, Audience.PUBLIC)


class ReadingClass(models.TextChoices):
    """The two classes of readers of a plan, by the parts that they may see (docs/rights.md)."""

    INSIDE = "inside", "Owner organisations and parties: everything"
    OUTSIDE = "outside", "Everyone else: no confidential site, no restricted text"
