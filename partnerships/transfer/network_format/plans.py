"""The shapes of plans, with versions, signatures, comments and shares."""

from __future__ import annotations

from partnerships.plans.models import Audience as PlanAudience
from partnerships.plans.models import Decision, PlanKind
from partnerships.transfer.network_format.fields import AT, BY, REASON, choice_field, reference_field, vocabulary_field
from partnerships.transfer.reading.shapes import Part, Shape

SIGNATURE = Shape(
    (
        reference_field("organisation", "organisations", required=True),
        reference_field("by", "people", required=True),
        AT,
        choice_field("decision", Decision, required=True),
        REASON,
        Part("answers", "texts"),
    )
)


PLAN_VERSION = Shape(
    (
        BY,
        AT,
        Part("note", required=True),
        Part("minor", "flag"),
        Part("content", "free"),
        Part("set", "free"),
    )
)


SIGN_OFF = Shape(
    (
        BY,
        AT,
        Part("due_on", "date"),
        REASON,
        Part("questions", "texts"),
        Part(
            "signatories",
            "parts",
            required=True,
            shape=Shape((reference_field("organisation", "organisations", required=True), Part("role", required=True))),
        ),
        Part("signatures", "parts", shape=SIGNATURE),
    )
)


COMMENT = Shape(
    (
        reference_field("by", "people", required=True),
        AT,
        Part("text", required=True),
        Part("anchor"),
        Part("version", "whole"),
    )
)


SHARE = Shape(
    (
        reference_field("person", "people", required=True),
        BY,
        AT,
        Part("may_comment", "flag"),
        Part("ends_on", "date"),
        Part("message"),
    )
)


PLAN = Shape(
    (
        Part("key", "key", required=True),
        Part("title", required=True),
        vocabulary_field("kind", PlanKind, required=True),
        choice_field("audience", PlanAudience, required=True),
        Part("owners", "refs", True, to="organisations"),
        reference_field("partnership", "partnerships"),
        BY,
        Part("begun", "moment", required=True),
        Part("versions", "parts", shape=PLAN_VERSION),
        Part("draft", "free"),
        reference_field("draft_by", "people"),
        Part("sign_off", "part", shape=SIGN_OFF),
        Part("comments", "parts", shape=COMMENT),
        Part("shares", "parts", shape=SHARE),
    ),
    keys="plans",
)
