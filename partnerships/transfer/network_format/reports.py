"""The shapes of progress reports, and of a partnership's rules about when they are due."""

from __future__ import annotations

from partnerships.conversations.models import Period
from partnerships.transfer.network_format.fields import AT, BY, REASON, choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

REPORT = Shape(
    (
        reference_field("organisation", "organisations", required=True),
        Part("period", "whole", required=True),
        BY,
        Part("answers", "texts"),
        Part("submitted", "moment", required=True),
        Part("accepted", "moment"),
        Part("returned", "moment"),
        reference_field("decided_by", "people"),
        REASON,
    )
)


REPORTING = Shape(
    (
        reference_field("partnership", "partnerships", required=True),
        BY,
        AT,
        choice_field("every", Period, required=True),
        Part("starts_on", "date", required=True),
        Part("due_days", "whole", required=True),
        Part("reports", "parts", shape=REPORT),
    )
)
