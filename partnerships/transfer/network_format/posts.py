"""The shapes of posts, of the people in them, and of facilitators."""

from __future__ import annotations

from partnerships.agreements.models import PostRole
from partnerships.transfer.network_format.fields import AT, BY, REASON, choice, ref
from partnerships.transfer.reading.shapes import Part, Shape

HOLDER = Shape(
    (
        ref("person", "people"),
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
        ref("organisation", "organisations", required=True),
        ref("partnership", "partnerships"),
        choice("role", PostRole, required=True),
        Part("title"),
        BY,
        AT,
        Part("holders", "parts", shape=HOLDER),
    )
)


FACILITATOR = Shape(
    (
        ref("partnership", "partnerships"),
        ref("entry", "entries"),
        ref("person", "people", required=True),
        ref("organisation", "organisations", required=True),
        BY,
        AT,
        Part("accepted", "moment"),
    )
)
