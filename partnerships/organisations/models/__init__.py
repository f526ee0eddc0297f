"""Organisations: names, identifiers, areas, members and successions."""

from partnerships.organisations.models.areas import Area, AreaKind, AreaServed
from partnerships.organisations.models.identity import Identifier, NameKind, OrganisationName, Scheme
from partnerships.organisations.models.memberships import EDITING_ROLES, REASON, Membership, MembershipQuerySet, Role
from partnerships.organisations.models.organisation import CouncilType, Kind, Organisation, OrganisationQuerySet, Status
from partnerships.organisations.models.requests import AccessRequest, AccessRequestQuerySet, RequestAnswer
from partnerships.organisations.models.successions import (
    Succession,
    SuccessionKind,
    SuccessionPredecessor,
    SuccessionSuccessor,
)

__all__ = [
    "EDITING_ROLES",
    "REASON",
    "AccessRequest",
    "AccessRequestQuerySet",
    "Area",
    "AreaKind",
    "AreaServed",
    "CouncilType",
    "Identifier",
    "Kind",
    "Membership",
    "MembershipQuerySet",
    "NameKind",
    "Organisation",
    "OrganisationName",
    "OrganisationQuerySet",
    "RequestAnswer",
    "Role",
    "Scheme",
    "Status",
    "Succession",
    "SuccessionKind",
    "SuccessionPredecessor",
    "SuccessionSuccessor",
]
