"""Codes: what people can follow, and who may be told of an event."""

from django.db.models import TextChoices


class SubjectKind(TextChoices):
    """What people can follow and whose changes are numbered.

    The codes are those of `Event.target_kind`.
    """

    PARTNERSHIP = "partnership", "Partnership"
    ORGANISATION = "organisation", "Organisation"
    PLAN = "plan", "Plan"
    REQUEST = "entry", "Ask or offer"
    COMMITMENT = "commitment", "Commitment"
    CONVERSATION = "conversation", "Conversation"
    RECOMMENDATION = "recommendation", "Recommendation"


class Audience(TextChoices):
    """Who without an account may be told of an event.

    People with an account hear what `registry.kinds()` lets them see, whatever this says.
    """

    INSIDE = "inside", "Only people with an account who may see the record"
    OUTSIDE = "outside", "Stakeholders without an account too"
    MARKED = "marked", "Stakeholders without an account too, while the record is marked so"
