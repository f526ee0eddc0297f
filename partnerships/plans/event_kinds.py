"""The events of plans: their codes, and the labels that timelines show."""

from django.db import models


class EventTarget(models.TextChoices):
    """The subject of an event of a plan, which decides who may see the event (`registrations.py`)."""

    PLAN = "plan", "Events of the plan, which its readers see"
    DRAFT = "plan_draft", "Events of the draft, which its editors see"
    VERSION = "plan_version", "Events of a version, which its readers see"
    SIGNING = "plan_signing", "Events of sign-off, which people of owners and parties see"
    COMMENT = "plan_comment", "Events of a comment, which its readers see"


class EventKind(models.TextChoices):
    """The kinds of event. A label may change, but not a code, because stored events contain the code."""

    STARTED = "plan.started", "Started a plan"
    DRAFT_EDITED = "plan.draft_edited", "Edited the draft"
    DRAFT_DISCARDED = "plan.draft_discarded", "Discarded the draft"
    VERSION_PUBLISHED = "plan.version_published", "Published a version"
    EMBARGO_LIFTED = "plan.embargo_lifted", "Ended the embargo on a version"
    STATUS_CHANGED = "plan.status_changed", "Changed the status of a plan"
    AUDIENCE_CHANGED = "plan.audience_changed", "Changed who can read a plan"
    BASELINE_PINNED = "plan.baseline_pinned", "Chose the baseline"
    BASELINE_UNPINNED = "plan.baseline_unpinned", "Removed the baseline"
    COMMENTED = "plan.commented", "Commented on the plan"
    COMMENT_ANSWERED = "plan.comment_answered", "Answered a comment"
    COMMENT_RESOLVED = "plan.comment_resolved", "Resolved a comment"
    COMMENT_REOPENED = "plan.comment_reopened", "Reopened a comment"
    DRAFT_SHOWN = "plan.draft_shown", "Shared the draft"
    SHOWING_CHANGED = "plan.showing_changed", "Changed how the draft is shared"
    SHOWING_ENDED = "plan.showing_ended", "Stopped sharing the draft"
    DRAFT_ASKED_FOR = "plan.draft_asked_for", "Asked to see the draft"
    DRAFT_REQUEST_ANSWERED = "plan.draft_request_answered", "Answered a request to see the draft"
    SIGN_OFF_ASKED = "plan.sign_off_asked", "Asked for sign-off"
    SIGN_OFF_ASKED_AGAIN = "plan.sign_off_asked_again", "Asked for sign-off again"
    SIGN_OFF_NOT_ASKED = "plan.sign_off_not_asked", "Stopped asking for a signature"
    SIGN_OFF_ESCALATED = "plan.sign_off_escalated", "Escalated a late signature"
    DUE_DAY_CHANGED = "plan.due_day_changed", "Changed the deadline for a decision"
    VERSION_APPROVED = "plan.version_approved", "Approved a version"
    VERSION_APPROVED_WITH_CONDITION = "plan.version_approved_with_condition", "Approved a version with a condition"
    VERSION_REJECTED = "plan.version_rejected", "Rejected a version"
    CONDITION_MET = "plan.condition_met", "Confirmed that a condition is met"
    AGREED = "plan.agreed", "Every signatory approved the plan"
    OWNERSHIP_TRANSFER_OFFERED = "plan.ownership_transfer_offered", "Offered to transfer the plan"
    OWNERSHIP_SHARE_OFFERED = "plan.ownership_share_offered", "Offered to share the plan’s ownership"
    OWNERSHIP_OFFER_WITHDRAWN = "plan.ownership_offer_withdrawn", "Withdrew an offer of the plan"
    OWNERSHIP_DECLINED = "plan.ownership_declined", "Declined to own the plan"
    OWNERSHIP_STARTED = "plan.ownership_started", "Became an owner of the plan"
    OWNERSHIP_ENDED = "plan.ownership_ended", "No longer owns the plan"
    LEFT_PARTNERSHIP = "plan.left_partnership", "Left the partnership because its only owner left"
    PARTNERSHIP_LOST_PLAN = "plan.partnership_lost_plan", "A plan left the partnership because its only owner left"
