"""The shapes of responses to recommendations, and of what partnerships adopt."""

from __future__ import annotations

from partnerships.recommendations.models import ResponseStatus
from partnerships.transfer.network_format.fields import AT, choice, ref
from partnerships.transfer.reading.shapes import Part, Shape

#: The report by its title, and the recommendation by its reference or its words.
_WHICH = (Part("report", required=True), Part("recommendation", required=True))
RESPONSE = Shape(
    (
        *_WHICH,
        ref("organisation", "organisations", required=True),
        ref("by", "people", required=True),
        AT,
        choice("status", ResponseStatus, required=True),
        Part("reason"),
        ref("owner", "people"),
        Part("review_on", "date"),
        Part("note"),
        Part("commitments", "refs", to="commitments"),
        Part("meetings", "refs", to="meetings"),
        Part("partnerships", "refs", to="partnerships"),
    )
)
ADOPTION = Shape(
    (
        *_WHICH,
        ref("partnership", "partnerships", required=True),
        ref("by", "people", required=True),
        Part("proposed", "moment", required=True),
        Part("why", required=True),
        ref("meeting", "meetings"),
        Part("adopted", "moment"),
        Part("objectives", "refs", to="objectives"),
        Part("commitments", "refs", to="commitments"),
    )
)
