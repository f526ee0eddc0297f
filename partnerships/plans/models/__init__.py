"""Plans, versions, drafts, comments, signatures and rows for lists."""

from partnerships.documents.models import Decision
from partnerships.plans.models.commitments import PlanCommitment
from partnerships.plans.models.kinds import Part, PlanKind, StarterPart
from partnerships.plans.models.owning import OfferQuerySet, OwnershipOffer, PastPartnership, left_plan_after
from partnerships.plans.models.paper import ComparedPaper, Paper
from partnerships.plans.models.pipeline import HomesCombination, HomesProvider, PackedHomes, PlannedHomes
from partnerships.plans.models.plan import OwnershipEndReason, Plan, PlanOwner, PlanQuerySet, plan_readers
from partnerships.plans.models.projection import (
    DUE_SOON,
    Homes,
    Milestone,
    MilestoneQuerySet,
    Site,
    SiteQuerySet,
    milestones_in,
)
from partnerships.plans.models.review import (
    AccessRequest,
    Comment,
    CommentQuerySet,
    Mention,
    OpeningMethod,
    Share,
    ShareOpening,
    ShareQuerySet,
)
from partnerships.plans.models.routes import draft_routes, drafters_of, present_routes, routes_once_open
from partnerships.plans.models.signing import ConditionMet, Signatory, SignOff
from partnerships.plans.models.states import (
    FINAL_STATUSES,
    TRANSITIONS,
    WIDER_THAN_PARTNERSHIP,
    Audience,
    ReadingClass,
    Status,
)
from partnerships.plans.models.version import Document, Draft, PlanDocumentQuerySet, Version, VersionQuerySet

__all__ = [
    "DUE_SOON",
    "FINAL_STATUSES",
    "TRANSITIONS",
    "WIDER_THAN_PARTNERSHIP",
    "AccessRequest",
    "Audience",
    "Comment",
    "CommentQuerySet",
    "ComparedPaper",
    "ConditionMet",
    "Decision",
    "Document",
    "Draft",
    "Homes",
    "HomesCombination",
    "HomesProvider",
    "Mention",
    "Milestone",
    "MilestoneQuerySet",
    "OfferQuerySet",
    "OpeningMethod",
    "OwnershipEndReason",
    "OwnershipOffer",
    "PackedHomes",
    "Paper",
    "Part",
    "PastPartnership",
    "Plan",
    "PlanCommitment",
    "PlanDocumentQuerySet",
    "PlanKind",
    "PlanOwner",
    "PlanQuerySet",
    "PlannedHomes",
    "ReadingClass",
    "Share",
    "ShareOpening",
    "ShareQuerySet",
    "SignOff",
    "Signatory",
    "Site",
    "SiteQuerySet",
    "StarterPart",
    "Status",
    "Version",
    "VersionQuerySet",
    "draft_routes",
    "drafters_of",
    "left_plan_after",
    "milestones_in",
    "plan_readers",
    "present_routes",
    "routes_once_open",
]
