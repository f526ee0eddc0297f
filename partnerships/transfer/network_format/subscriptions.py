"""The shape of a subscription."""

from __future__ import annotations

from partnerships.digests.models import Frequency
from partnerships.transfer.network_format.fields import choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

SUBSCRIPTION = Shape(
    (
        reference_field("person", "people", required=True),
        reference_field("plan", "plans"),
        reference_field("partnership", "partnerships"),
        reference_field("organisation", "organisations"),
        choice_field("frequency", Frequency),
        reference_field("added_by", "people"),
        reference_field("added_for", "organisations"),
        Part("why"),
        Part("asked", "moment", required=True),
        Part("confirmed", "moment"),
    )
)
