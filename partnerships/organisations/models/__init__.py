"""Models of organisations, their people, their successions and handovers."""

from partnerships.organisations.models.areas import Area, AreaKind, AreaServed
from partnerships.organisations.models.handovers import OPEN_HANDOVERS, AcceptedPart, Handover, HandoverState, Sharing
from partnerships.organisations.models.identity import (
    ALLOCATORS,
    Identifier,
    NameKind,
    OrganisationName,
    Scheme,
    parse_org_id,
    scheme_of,
)
from partnerships.organisations.models.memberships import (
    EDITING_ROLES,
    REASON_KEY,
    Membership,
    MembershipQuerySet,
    Role,
)
from partnerships.organisations.models.merges import Merge, MovedRow, NotSame
from partnerships.organisations.models.organisation import (
    PLANNING_BODIES,
    CouncilType,
    Kind,
    Organisation,
    OrganisationQuerySet,
    Status,
)
from partnerships.organisations.models.requests import AccessRequest, AccessRequestQuerySet, RequestAnswer
from partnerships.organisations.models.successions import (
    CERTAIN_STATUSES,
    FINAL_STATUSES,
    KINDS_KEEPING_PREDECESSOR,
    Function,
    Succession,
    SuccessionKind,
    SuccessionQuerySet,
    SuccessionStatus,
    SuccessionTie,
    TieRole,
)

__all__ = [
    "ALLOCATORS",
    "CERTAIN_STATUSES",
    "EDITING_ROLES",
    "FINAL_STATUSES",
    "KINDS_KEEPING_PREDECESSOR",
    "OPEN_HANDOVERS",
    "PLANNING_BODIES",
    "REASON_KEY",
    "AcceptedPart",
    "AccessRequest",
    "AccessRequestQuerySet",
    "Area",
    "AreaKind",
    "AreaServed",
    "CouncilType",
    "Function",
    "Handover",
    "HandoverState",
    "Identifier",
    "Kind",
    "Membership",
    "MembershipQuerySet",
    "Merge",
    "MovedRow",
    "NameKind",
    "NotSame",
    "Organisation",
    "OrganisationName",
    "OrganisationQuerySet",
    "RequestAnswer",
    "Role",
    "Scheme",
    "Sharing",
    "Status",
    "Succession",
    "SuccessionKind",
    "SuccessionQuerySet",
    "SuccessionStatus",
    "SuccessionTie",
    "TieRole",
    "parse_org_id",
    "scheme_of",
]
