"""The shapes of responses to recommendations, and of partnerships' decisions to adopt one."""

from __future__ import annotations

from partnerships.recommendations.models import ResponseStatus
from partnerships.transfer.network_format.fields import AT, choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

#: The fields that identify a recommendation: the title of its report, and its reference or its text.
_RECOMMENDATION_FIELDS = (Part("report", required=True), Part("recommendation", required=True))
RESPONSE = Shape(
    (
        *_RECOMMENDATION_FIELDS,
        reference_field("organisation", "organisations", required=True),
        reference_field("by", "people", required=True),
        AT,
        choice_field("status", ResponseStatus, required=True),
        Part("reason"),
        reference_field("owner", "people"),
        Part("review_on", "date"),
        Part("note"),
        Part("commitments", "refs", to="commitments"),
        Part("meetings", "refs", to="meetings"),
        Part("partnerships", "refs", to="partnerships"),
    )
)
ADOPTION = Shape(
    (
        *_RECOMMENDATION_FIELDS,
        reference_field("partnership", "partnerships", required=True),
        reference_field("by", "people", required=True),
        Part("proposed", "moment", required=True),
        Part("why", required=True),
        reference_field("meeting", "meetings"),
        Part("adopted", "moment"),
        Part("objectives", "refs", to="objectives"),
        Part("commitments", "refs", to="commitments"),
    )
)
