"""The events of answers: their codes, and the labels that timelines show."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of event. A label may change, but not a code, because stored events contain the code."""

    ACKNOWLEDGED = "answer.acknowledged", "Said that they have read a version"
    CONCERNED = "answer.concerned", "Said that a plan concerns them"
    UNCONCERNED = "answer.unconcerned", "Said that a plan no longer concerns them"
    COMMENTED = "answer.commented", "Commented using the link in an email"
    ANSWERED = "answer.answered", "Answered a question"
    COLLEAGUE_NAMED = "answer.colleague_named", "Named a colleague who should get a plan"
    DESCRIBED = "answer.described", "Corrected their own name or role"
    APPROVED = "answer.approved", "Approved an answer"
    REFUSED = "answer.refused", "Refused an answer"
    COLLEAGUE_ASKED = "answer.colleague_asked", "Emailed a colleague named by a stakeholder"
    TRUSTED = "answer.trusted", "Chose to show a stakeholder’s answers without approval"
    TRUST_ENDED = "answer.trust_ended", "Required approval for a stakeholder’s answers again"
    QUESTION_PUT = "answer.question_put", "Asked a question about a plan"
    QUESTION_ANSWERED = "answer.question_answered", "New answer to a question about a plan"
    QUESTION_CLOSED = "answer.question_closed", "Closed a question about a plan"
