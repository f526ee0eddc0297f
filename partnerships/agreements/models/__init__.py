"""Partnerships, their parties, terms and documents."""

from __future__ import annotations

from partnerships.agreements.models.choices import (
    CONTACT_DAYS,
    FORMER_STATUSES,
    LEADING_ROLES,
    NOTICE_DAYS,
    OVER,
    TRANSITIONS,
    Audience,
    PartyRole,
    PartyStatus,
    Status,
)
from partnerships.agreements.models.clock import (
    ENDING,
    Gap,
    gap_between,
    has_run_out,
    has_status_on,
    is_over_on,
    last_day,
    status_on,
)
from partnerships.agreements.models.document import Document, DocumentQuerySet
from partnerships.agreements.models.kinds import PartnershipKind
from partnerships.agreements.models.partnership import (
    FORMER,
    INSIDE,
    LEADING,
    LEFT_BEHIND,
    OUTLINE,
    OUTLINED,
    Partnership,
    PartnershipArea,
    PartnershipQuerySet,
    partnership_readers,
)
from partnerships.agreements.models.party import Party, PartyQuerySet

__all__ = [
    "CONTACT_DAYS",
    "ENDING",
    "FORMER",
    "FORMER_STATUSES",
    "INSIDE",
    "LEADING",
    "LEADING_ROLES",
    "LEFT_BEHIND",
    "NOTICE_DAYS",
    "OUTLINE",
    "OUTLINED",
    "OVER",
    "TRANSITIONS",
    "Audience",
    "Document",
    "DocumentQuerySet",
    "Gap",
    "Partnership",
    "PartnershipArea",
    "PartnershipKind",
    "PartnershipQuerySet",
    "Party",
    "PartyQuerySet",
    "PartyRole",
    "PartyStatus",
    "Status",
    "gap_between",
    "has_run_out",
    "has_status_on",
    "is_over_on",
    "last_day",
    "partnership_readers",
    "status_on",
]
