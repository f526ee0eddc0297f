"""The shapes of a series of meetings and of a meeting."""

from __future__ import annotations

from partnerships.conversations.models import Answer, CycleUnit, Format, HolidayChoice, ItemPurpose
from partnerships.transfer.network_format.fields import AT, REASON, choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

CYCLE = Shape(
    (
        reference_field("partnership", "partnerships", required=True),
        reference_field("by", "people", required=True),
        AT,
        choice_field("unit", CycleUnit, required=True),
        Part("interval", "whole", required=True),
        Part("weekday", "whole", required=True),
        Part("position", "whole"),
        Part("starts_on", "date", required=True),
        Part("time", required=True),
        Part("minutes", "whole", required=True),
        choice_field("how", Format, default="in_person"),
        Part("place"),
        choice_field("on_holiday", HolidayChoice, default="later"),
    )
)
MEETING = Shape(
    (
        Part("key", "key", required=True),
        Part("title", required=True),
        reference_field("partnership", "partnerships", required=True),
        reference_field("organisation", "organisations", required=True),
        reference_field("by", "people", required=True),
        Part("planned", "moment", required=True),
        Part("day", "date", required=True),
        Part("time", required=True),
        Part("minutes", "whole", required=True),
        choice_field("how", Format, default="in_person"),
        Part("place"),
        Part("note"),
        Part("people", "refs", to="people"),
        Part("guests", "texts"),
        Part(
            "items",
            "parts",
            shape=Shape(
                (
                    Part("title", required=True),
                    choice_field("purpose", ItemPurpose, default="discussion"),
                    Part("minutes", "whole"),
                    reference_field("presenter", "people"),
                )
            ),
        ),
        Part("circulated", "moment"),
        Part(
            "answers",
            "parts",
            shape=Shape(
                (reference_field("person", "people", required=True), choice_field("answer", Answer, required=True), AT)
            ),
        ),
        Part("called_off", "part", shape=Shape((AT, REASON))),
        Part("attended", "moment"),
        Part("present", "refs", to="people"),
        Part("minutes_written", "moment"),
        Part("said"),
        Part("decisions", "texts"),
    ),
    keys="meetings",
)
