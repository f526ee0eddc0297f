"""Services that record recommendations, and what organisations and partnerships do about them."""

from partnerships.recommendations.services.adoptions import (
    UnableToAdopt,
    UnableToLink,
    adopt,
    drop_adoption,
    link_outcome,
    propose_adoption,
    unlink_outcome,
)
from partnerships.recommendations.services.evidence import UnableToChangeEvidence, add_evidence, remove_evidence
from partnerships.recommendations.services.responses import (
    ResponseDetails,
    ResponseHasChanged,
    UnableToRespond,
    hand_over_response,
    respond,
)
from partnerships.recommendations.services.seeding import load_recommendations
from partnerships.recommendations.services.sources import (
    RecommendationDetails,
    SourceDetails,
    UnableToRecord,
    correct_recommendation,
    correct_source,
    record_recommendation,
    record_source,
)

__all__ = [
    "RecommendationDetails",
    "ResponseDetails",
    "ResponseHasChanged",
    "SourceDetails",
    "UnableToAdopt",
    "UnableToChangeEvidence",
    "UnableToLink",
    "UnableToRecord",
    "UnableToRespond",
    "add_evidence",
    "adopt",
    "correct_recommendation",
    "correct_source",
    "drop_adoption",
    "hand_over_response",
    "link_outcome",
    "load_recommendations",
    "propose_adoption",
    "record_recommendation",
    "record_source",
    "remove_evidence",
    "respond",
    "unlink_outcome",
]
