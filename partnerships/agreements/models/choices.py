"""The statuses, audiences and roles of partnerships and their parties."""

from __future__ import annotations

from django.db import models

from partnerships.agreements.terms.checks import NOTICE_DAYS as NOTICE_DAYS


class Status(models.TextChoices):
    """Status of a partnership. `TRANSITIONS` lists the allowed changes."""

    EXPLORING = "exploring", "Exploring"
    DRAFTING = "drafting", "Drafting"
    AWAITING_SIGN_OFF = "awaiting_sign_off", "Awaiting sign-off"
    AGREED = "agreed", "Agreed, not started"
    ACTIVE = "active", "Active"
    UNDER_REVIEW = "under_review", "Under review"
    SUSPENDED = "suspended", "Suspended"
    RENEWED = "renewed", "Renewed"
    ENDED = "ended", "Ended"


#: Allowed next statuses (docs/rights.md). Any partnership that is not over can be ended.
TRANSITIONS: dict[str, tuple[Status, ...]] = {
    Status.EXPLORING: (Status.DRAFTING, Status.ENDED),
    Status.DRAFTING: (Status.AWAITING_SIGN_OFF, Status.ENDED),
    Status.AWAITING_SIGN_OFF: (Status.AGREED, Status.ACTIVE, Status.ENDED),
    Status.AGREED: (Status.ACTIVE, Status.ENDED),
    Status.ACTIVE: (Status.UNDER_REVIEW, Status.SUSPENDED, Status.ENDED),
    Status.UNDER_REVIEW: (Status.ACTIVE, Status.RENEWED, Status.ENDED),
    Status.SUSPENDED: (Status.ACTIVE, Status.ENDED),
    Status.RENEWED: (),
    Status.ENDED: (),
}

#: A partnership has gone quiet after this many days without a conversation. Each partnership chooses the number.
CONTACT_DAYS = range(7, 731)

#: Statuses in which a partnership is read-only.
FINAL_STATUSES = (Status.RENEWED, Status.ENDED)


class Audience(models.TextChoices):
    """Who may see that a partnership exists, apart from its parties."""

    PARTIES = "parties", "Its parties only"
    NETWORK = "network", "Everyone who is signed in can see its title, parties, kind, purpose, areas and status"


class PartyRole(models.TextChoices):
    """Role of a party. Observers only read and comment."""

    CHAIR = "chair", "Chair"
    LEAD = "lead", "Lead"
    MEMBER = "member", "Member"
    OBSERVER = "observer", "Observer"


#: Roles whose leads may invite others and change terms and status.
LEADING_ROLES = (PartyRole.CHAIR, PartyRole.LEAD)
#: Roles of parties that decide; observers do not.
DECIDING_ROLES = (*LEADING_ROLES, PartyRole.MEMBER)
#: All roles, from the one with the most rights to the one with the fewest.
ROLES_BY_RANK = (*DECIDING_ROLES, PartyRole.OBSERVER)


class PartyStatus(models.TextChoices):
    """Whether a party is invited, takes part or has left."""

    INVITED = "invited", "Invited"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    LEFT = "left", "Left"


#: Statuses that a former party may have. It has left, and may have been invited again since. Its people can read what
#: they could read at `left_at`. An invited organisation that was never a party has no `left_at`.
FORMER_STATUSES = (PartyStatus.LEFT, PartyStatus.INVITED)
