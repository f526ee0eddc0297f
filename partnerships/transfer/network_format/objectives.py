"""The shapes of objectives and of the reports of progress on them."""

from __future__ import annotations

from partnerships.transfer.network_format.fields import AT, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

REPORT = Shape(
    (
        AT,
        Part("figure", "decimal", required=True),
        reference_field("by", "people", required=True),
        Part("note"),
        Part("blocked_by"),
    )
)


OBJECTIVE = Shape(
    (
        Part("key", "key", required=True),
        reference_field("partnership", "partnerships", required=True),
        Part("text", required=True),
        Part("measure", required=True),
        Part("unit"),
        Part("baseline", "decimal"),
        Part("baseline_on", "date", required=True),
        Part("target", "decimal", required=True),
        Part("target_on", "date", required=True),
        reference_field("organisation", "organisations", required=True),
        reference_field("owner", "people"),
        reference_field("by", "people", required=True),
        Part("added", "moment", required=True),
        Part("progress", "parts", shape=REPORT),
        Part("commitments", "refs", to="commitments"),
    ),
    keys="objectives",
)
