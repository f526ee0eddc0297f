"""The shape of a subscription."""

from __future__ import annotations

from partnerships.digests.models import Frequency
from partnerships.transfer.network_format.fields import choice, ref
from partnerships.transfer.reading.shapes import Part, Shape

SUBSCRIPTION = Shape(
    (
        ref("person", "people", required=True),
        ref("plan", "plans"),
        ref("partnership", "partnerships"),
        ref("organisation", "organisations"),
        choice("frequency", Frequency),
        ref("added_by", "people"),
        ref("added_for", "organisations"),
        Part("why"),
        Part("asked", "moment", required=True),
        Part("confirmed", "moment"),
    )
)
