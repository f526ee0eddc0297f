"""The shapes of partnerships, their parties and changes of status."""

from __future__ import annotations

from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.agreements.models import PartnershipKind, PartyRole
from partnerships.agreements.models import Status as PartnershipStatus
from partnerships.transfer.network_format.fields import (
    AREAS,
    AT,
    BY,
    REASON,
    choice_field,
    reference_field,
    vocabulary_field,
)
from partnerships.transfer.reading.shapes import Part, Shape

PARTY = Shape(
    (
        reference_field("organisation", "organisations", required=True),
        choice_field("role", PartyRole, default="member"),
        Part("invited", "moment"),
        Part("accepted", "moment"),
        Part("declined", "moment"),
        Part("left", "moment"),
        BY,
        REASON,
    )
)


STEP = Shape((choice_field("to", PartnershipStatus, required=True), AT, BY, Part("reason", required=True)))


SIGNATURE = Shape(
    (reference_field("organisation", "organisations", required=True), BY, Part("title"), AT, Part("answers", "texts"))
)


AMENDMENT = Shape(
    (
        reference_field("organisation", "organisations", required=True),
        BY,
        AT,
        Part("reason", required=True),
        Part("clause", required=True),
        Part("text", required=True),
        Part("from_day", "date"),
        Part("put_up", "moment"),
        Part("questions", "texts"),
        Part("signatures", "parts", shape=SIGNATURE),
    )
)


PARTNERSHIP = Shape(
    (
        Part("key", "key", required=True),
        Part("title", required=True),
        vocabulary_field("kind", PartnershipKind, required=True),
        reference_field("chair", "organisations", required=True),
        BY,
        Part("opened", "moment", required=True),
        reference_field("renews", "partnerships"),
        Part("purpose"),
        choice_field("audience", PartnershipAudience, default="parties"),
        AREAS,
        Part("legally_binding", "flag"),
        Part("terms_of_reference"),
        Part("starts_on", "date"),
        Part("review_on", "date"),
        Part("ends_on", "date"),
        Part("goes_on", "flag"),
        Part("notice_days", "whole"),
        Part("quorum", "whole"),
        Part("meeting_frequency"),
        Part("contact_days", "whole"),
        Part("reports_to"),
        Part("contribution"),
        Part("annual_budget", "decimal"),
        Part("liabilities"),
        Part("fields", "free", default={}),
        Part("rows", "free", default={}),
        Part("parties", "parts", shape=PARTY),
        Part("steps", "parts", shape=STEP),
        Part("signatures", "parts", shape=SIGNATURE),
        Part("amendments", "parts", shape=AMENDMENT),
    ),
    keys="partnerships",
)


MEMBER = Shape((reference_field("organisation", "organisations", required=True), BY, Part("accepted", "moment")))


WORKING_GROUP = Shape(
    (
        Part("key", "key", required=True),
        reference_field("partnership", "partnerships", required=True),
        reference_field("organisation", "organisations", required=True),
        BY,
        AT,
        Part("title", required=True),
        Part("purpose"),
        Part("ends_on", "date", required=True),
        Part("members", "parts", shape=MEMBER),
    ),
    keys="partnerships",
)
