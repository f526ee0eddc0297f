"""The shapes of commitments and their progress."""

from __future__ import annotations

from partnerships.commitments.models import Unit
from partnerships.transfer.network_format.fields import AT, reference_field, vocabulary_field
from partnerships.transfer.reading.shapes import Part, Shape

PROGRESS = Shape(
    (
        Part("status", "choice", True, choices=("in_progress", "at_risk", "blocked", "done")),
        reference_field("by", "people", required=True),
        AT,
        Part("delivered", "decimal"),
        Part("note"),
        Part("blocker"),
    )
)


COMMITMENT = Shape(
    (
        Part("key", "key", required=True),
        reference_field("giver", "organisations", required=True),
        reference_field("receiver", "organisations", required=True),
        Part("text", required=True),
        Part("quantity", "decimal"),
        vocabulary_field("unit", Unit),
        reference_field("owner", "people"),
        Part("due_on", "date", required=True),
        reference_field("partnership", "partnerships"),
        reference_field("by", "people", required=True),
        Part("proposed", "moment", required=True),
        Part("confirmed", "moment"),
        reference_field("confirmed_by", "people"),
        Part("progress", "parts", shape=PROGRESS),
        Part("verified", "moment"),
        reference_field("verified_by", "people"),
    ),
    keys="commitments",
)
