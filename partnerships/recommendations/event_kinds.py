"""Kinds of event on recommendations."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of event on recommendations.

    Codes are stored in rows and never change; labels may.
    """

    RECORDED = "recommendation.recorded", "Recorded a recommendation"
    SOURCE_CORRECTED = "recommendation.source_corrected", "Corrected a report"
    CORRECTED = "recommendation.corrected", "Corrected a recommendation"
    ANSWERED = "recommendation.answered", "Changed its response to a recommendation"
    PLANNED = "recommendation.planned", "Changed the owner, review date or note"
    EVIDENCE_ADDED = "recommendation.evidence_added", "Added evidence"
    EVIDENCE_REMOVED = "recommendation.evidence_removed", "Removed evidence"
    PROPOSED = "recommendation.proposed", "Proposed to adopt a recommendation"
    ADOPTED = "recommendation.adopted", "Adopted a recommendation"
    DROPPED = "recommendation.dropped", "Dropped a recommendation"
    OUTCOME_LINKED = "recommendation.outcome_linked", "Linked an outcome to a recommendation"
    OUTCOME_UNLINKED = "recommendation.outcome_unlinked", "Removed the link between an outcome and a recommendation"
