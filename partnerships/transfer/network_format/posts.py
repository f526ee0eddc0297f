"""The shapes of posts, of the people in them, and of facilitators."""

from __future__ import annotations

from partnerships.agreements.models import PostRole
from partnerships.transfer.network_format.fields import AT, BY, REASON, choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

HOLDER = Shape(
    (
        reference_field("person", "people"),
        Part("name"),
        Part("email"),
        Part("phone"),
        Part("working_days"),
        BY,
        AT,
        Part("until", "moment"),
        REASON,
    )
)


POST = Shape(
    (
        reference_field("organisation", "organisations", required=True),
        reference_field("partnership", "partnerships"),
        choice_field("role", PostRole, required=True),
        Part("title"),
        BY,
        AT,
        Part("holders", "parts", shape=HOLDER),
    )
)


FACILITATOR = Shape(
    (
        reference_field("partnership", "partnerships"),
        reference_field("entry", "entries"),
        reference_field("person", "people", required=True),
        reference_field("organisation", "organisations", required=True),
        BY,
        AT,
        Part("accepted", "moment"),
    )
)
