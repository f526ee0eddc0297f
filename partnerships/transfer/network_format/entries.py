"""The shapes of asks and offers, and of the responses to them."""

from __future__ import annotations

from partnerships.commitments.models import Unit
from partnerships.exchange.models import Audience as EntryAudience
from partnerships.exchange.models import Direction, Theme
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

RESPONSE = Shape(
    (
        reference_field("organisation", "organisations", required=True),
        reference_field("by", "people", required=True),
        Part("text", required=True),
        Part("quantity", "decimal"),
        AT,
        Part("accepted", "moment"),
        Part("declined", "moment"),
        reference_field("decided_by", "people"),
        REASON,
    )
)


ENTRY = Shape(
    (
        Part("key", "key", required=True),
        choice_field("direction", Direction, required=True),
        reference_field("organisation", "organisations", required=True),
        BY,
        Part("title", required=True),
        vocabulary_field("theme", Theme, required=True),
        Part("statement"),
        Part("rationale"),
        Part("quantity", "decimal"),
        vocabulary_field("unit", Unit),
        Part("site"),
        AREAS,
        Part("available_from", "date"),
        Part("available_until", "date"),
        Part("conditions"),
        Part("private_note"),
        Part("standing", "flag"),
        choice_field("audience", EntryAudience, required=True),
        reference_field("partnership", "partnerships"),
        Part("addressees", "refs", to="organisations"),
        Part("written", "moment"),
        Part("shared", "moment"),
        Part("responses", "parts", shape=RESPONSE),
        Part("withdrawn", "moment"),
        REASON,
    ),
    keys="entries",
)
