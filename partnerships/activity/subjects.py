"""The kinds of record that people can follow, and who may be notified of an event."""

from django.db.models import TextChoices


class SubjectKind(TextChoices):
    """The kinds of record that people can follow and whose changes are numbered.

    Events store these codes in `target_kind`.
    """

    PARTNERSHIP = "partnership", "Partnership"
    ORGANISATION = "organisation", "Organisation"
    PLAN = "plan", "Plan"
    REQUEST = "entry", "Ask or offer"
    COMMITMENT = "commitment", "Commitment"
    CONVERSATION = "conversation", "Conversation"
    RECOMMENDATION = "recommendation", "Recommendation"


class Audience(TextChoices):
    """Whether stakeholders without an account may be notified of an event.

    People with an account are not affected. They are notified of all events that they may see.
    """

    INSIDE = "inside", "Only people with an account who may see the record"
    OUTSIDE = "outside", "Stakeholders without an account too"
    MARKED = "marked", "Stakeholders without an account too, while the record is marked so"
