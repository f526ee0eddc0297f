"""The shapes of commitments and their progress."""

from __future__ import annotations

from partnerships.commitments.models import Unit
from partnerships.transfer.network_format.fields import AT, ref, word
from partnerships.transfer.reading.shapes import Part, Shape

PROGRESS = Shape(
    (
        Part("status", "choice", True, choices=("in_progress", "at_risk", "blocked", "done")),
        ref("by", "people", required=True),
        AT,
        Part("delivered", "decimal"),
        Part("note"),
        Part("blocker"),
    )
)


COMMITMENT = Shape(
    (
        Part("key", "key", required=True),
        ref("giver", "organisations", required=True),
        ref("receiver", "organisations", required=True),
        Part("text", required=True),
        Part("quantity", "decimal"),
        word("unit", Unit),
        ref("owner", "people"),
        Part("due_on", "date", required=True),
        ref("partnership", "partnerships"),
        ref("by", "people", required=True),
        Part("proposed", "moment", required=True),
        Part("confirmed", "moment"),
        ref("confirmed_by", "people"),
        Part("progress", "parts", shape=PROGRESS),
        Part("verified", "moment"),
        ref("verified_by", "people"),
    ),
    keys="commitments",
)
