"""The shapes of asks and offers, and of the responses to them."""

from __future__ import annotations

from partnerships.commitments.models import Unit
from partnerships.exchange.models import Audience as EntryAudience
from partnerships.exchange.models import Direction, Theme
from partnerships.transfer.network_format.fields import AREAS, AT, BY, REASON, choice, ref, word
from partnerships.transfer.reading.shapes import Part, Shape

RESPONSE = Shape(
    (
        ref("organisation", "organisations", required=True),
        ref("by", "people", required=True),
        Part("text", required=True),
        Part("quantity", "decimal"),
        AT,
        Part("accepted", "moment"),
        Part("declined", "moment"),
        ref("decided_by", "people"),
        REASON,
    )
)


ENTRY = Shape(
    (
        Part("key", "key", required=True),
        choice("direction", Direction, required=True),
        ref("organisation", "organisations", required=True),
        BY,
        Part("title", required=True),
        word("theme", Theme, required=True),
        Part("statement"),
        Part("rationale"),
        Part("quantity", "decimal"),
        word("unit", Unit),
        Part("site"),
        AREAS,
        Part("available_from", "date"),
        Part("available_until", "date"),
        Part("conditions"),
        Part("private_note"),
        Part("standing", "flag"),
        choice("audience", EntryAudience, required=True),
        ref("partnership", "partnerships"),
        Part("addressees", "refs", to="organisations"),
        Part("written", "moment"),
        Part("shared", "moment"),
        Part("responses", "parts", shape=RESPONSE),
        Part("withdrawn", "moment"),
        REASON,
    ),
    keys="entries",
)
