"""The shape of a quarterly return of a nominations agreement."""

from __future__ import annotations

from partnerships.nominations.schedule import Bedrooms
from partnerships.transfer.network_format.fields import BY, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

LINE = Shape(
    (
        Part("bedrooms", "choice", True, choices=tuple(size.value for size in Bedrooms)),
        Part("first_lets", "flag"),
        Part("lettings", "whole", required=True),
        Part("nominated", "whole", required=True),
        Part("days", "whole"),
        Part("offers", "whole"),
        Part("not_supplied", "whole"),
        Part("in_time", "whole"),
        Part("refusals", "free", default={}),
    )
)


NOMINATIONS_RETURN = Shape(
    (
        reference_field("partnership", "partnerships", required=True),
        Part("quarters_ago", "whole", required=True),
        BY,
        Part("lines", "parts", shape=LINE),
        reference_field("confirmed_by", "people"),
    )
)
