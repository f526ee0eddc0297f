"""Published recommendations, the responses of organisations with their evidence, and adoptions by partnerships."""

from partnerships.recommendations.models.adoptions import Adoption, AdoptionQuerySet, AdoptionStatus, Outcome
from partnerships.recommendations.models.responses import (
    STATUSES_WITH_REASON,
    WORKING_STATUSES,
    Evidence,
    RecommendationEvidenceQuerySet,
    RecommendationResponseQuerySet,
    Response,
    ResponseStatus,
)
from partnerships.recommendations.models.sources import (
    Addressee,
    Confidence,
    Recommendation,
    RecommendationQuerySet,
    Source,
    SourceQuerySet,
)

__all__ = [
    "STATUSES_WITH_REASON",
    "WORKING_STATUSES",
    "Addressee",
    "Adoption",
    "AdoptionQuerySet",
    "AdoptionStatus",
    "Confidence",
    "Evidence",
    "Outcome",
    "Recommendation",
    "RecommendationEvidenceQuerySet",
    "RecommendationQuerySet",
    "RecommendationResponseQuerySet",
    "Response",
    "ResponseStatus",
    "Source",
    "SourceQuerySet",
]
