"""The shapes of a series of meetings and of a meeting."""

from __future__ import annotations

from partnerships.conversations.models import Answer, CycleUnit, Format, HolidayChoice, ItemPurpose
from partnerships.transfer.network_format.fields import AT, REASON, choice, ref
from partnerships.transfer.reading.shapes import Part, Shape

CYCLE = Shape(
    (
        ref("partnership", "partnerships", required=True),
        ref("by", "people", required=True),
        AT,
        choice("unit", CycleUnit, required=True),
        Part("interval", "whole", required=True),
        Part("weekday", "whole", required=True),
        Part("position", "whole"),
        Part("starts_on", "date", required=True),
        Part("time", required=True),
        Part("minutes", "whole", required=True),
        choice("how", Format, default="in_person"),
        Part("place"),
        choice("on_holiday", HolidayChoice, default="later"),
    )
)
MEETING = Shape(
    (
        Part("key", "key", required=True),
        Part("title", required=True),
        ref("partnership", "partnerships", required=True),
        ref("organisation", "organisations", required=True),
        ref("by", "people", required=True),
        Part("planned", "moment", required=True),
        Part("day", "date", required=True),
        Part("time", required=True),
        Part("minutes", "whole", required=True),
        choice("how", Format, default="in_person"),
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
                    choice("purpose", ItemPurpose, default="discussion"),
                    Part("minutes", "whole"),
                    ref("presenter", "people"),
                )
            ),
        ),
        Part("circulated", "moment"),
        Part(
            "answers",
            "parts",
            shape=Shape((ref("person", "people", required=True), choice("answer", Answer, required=True), AT)),
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
