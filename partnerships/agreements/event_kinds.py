"""Kinds of event on partnerships and posts: codes, and labels for timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """Codes are stored in rows and never change; labels may."""

    OPENED = "partnership.opened", "Opened this partnership"
    TERMS_CHANGED = "partnership.terms_changed", "Changed the terms"
    STATUS_CHANGED = "partnership.status_changed", "Changed the status"
    COVER_GAP = "partnership.cover_gap", "Began after days without cover"
    SUCCESSOR_OPENED = "partnership.successor_opened", "Opened a successor"
    PARTY_INVITED = "partnership.party_invited", "Invited an organisation"
    INVITATION_ACCEPTED = "partnership.invitation_accepted", "Accepted the invitation"
    INVITATION_DECLINED = "partnership.invitation_declined", "Declined the invitation"
    INVITATION_WITHDRAWN = "partnership.invitation_withdrawn", "Withdrew an invitation"
    PARTY_LEFT = "partnership.party_left", "Left this partnership"
    PARTY_REMOVED = "partnership.party_removed", "Removed an organisation"
    PARTY_ROLE_CHANGED = "partnership.party_role_changed", "Changed an organisation's role"
    DOCUMENT_ADDED = "partnership.document_added", "Added a document"
    DOCUMENT_REMOVED = "partnership.document_removed", "Removed a document"
    DOCUMENT_RESTORED = "partnership.document_restored", "Restored a document"
    POST_CREATED = "post.created", "Created a post"
    POST_FILLED = "post.filled", "Named the holder of a post"
    POST_VACATED = "post.vacated", "Ended somebody's time in a post"
    POST_CONTACT_CHANGED = "post.contact_changed", "Changed how to reach the holder of a post"
    POST_ENDED = "post.ended", "Ended a post"
