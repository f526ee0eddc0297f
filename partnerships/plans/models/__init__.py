"""What the plans room keeps: plans and their readers, versions and drafts, what partners say, and projections."""

from partnerships.plans.models.paper import Paper
from partnerships.plans.models.plan import (
    DRAFTERS,
    OVER,
    TRANSITIONS,
    WIDER_THAN_PARTNERSHIP,
    Audience,
    Kind,
    Plan,
    PlanOwner,
    PlanQuerySet,
    ReadingClass,
    Status,
    draft_routes,
    plan_readers,
    present_routes,
    routes_once_open,
)
from partnerships.plans.models.projection import SOON, Homes, Milestone, MilestoneQuerySet, Site, SiteQuerySet
from partnerships.plans.models.promises import PlanCommitment
from partnerships.plans.models.review import AccessRequest, Comment, CommentQuerySet, Mention, Share, ShareQuerySet
from partnerships.plans.models.signing import ConditionMet, Decision, Signatory, SignOff
from partnerships.plans.models.version import Document, Draft, Version, VersionQuerySet

__all__ = [
    "DRAFTERS",
    "OVER",
    "SOON",
    "TRANSITIONS",
    "WIDER_THAN_PARTNERSHIP",
    "AccessRequest",
    "Audience",
    "Comment",
    "CommentQuerySet",
    "ConditionMet",
    "Decision",
    "Document",
    "Draft",
    "Homes",
    "Kind",
    "Mention",
    "Milestone",
    "MilestoneQuerySet",
    "Paper",
    "Plan",
    "PlanCommitment",
    "PlanOwner",
    "PlanQuerySet",
    "ReadingClass",
    "Share",
    "ShareQuerySet",
    "SignOff",
    "Signatory",
    "Site",
    "SiteQuerySet",
    "Status",
    "Version",
    "VersionQuerySet",
    "draft_routes",
    "plan_readers",
    "present_routes",
    "routes_once_open",
]
