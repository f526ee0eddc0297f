"""The shape of an anonymous survey of a partnership."""

from __future__ import annotations

from partnerships.surveys.bodies import Group
from partnerships.transfer.network_format.fields import AT, choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

_GROUP = choice_field("group", Group, required=True)
ASKED = Shape((_GROUP, Part("email", required=True)))
ANSWER = Shape(
    (
        _GROUP,
        Part("scores", required=True),  # a digit for each dimension, such as 43-35424; a hyphen means no view
        Part("expects", "texts"),
        Part("comments", "free", default={}),
    )
)
ACTION = Shape((Part("theme", required=True), reference_field("objective", "objectives", required=True)))


SURVEY = Shape(
    (
        reference_field("partnership", "partnerships", required=True),
        reference_field("by", "people", required=True),
        AT,
        Part("title", required=True),
        Part("closes_on", "date", required=True),
        reference_field("moderator", "people", required=True),
        Part("asked", "parts", shape=ASKED),
        Part("answers", "parts", shape=ANSWER),
        Part("actions", "parts", shape=ACTION),
    )
)
