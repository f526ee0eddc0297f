"""The shape of a conversation."""

from __future__ import annotations

from partnerships.conversations.models import Attribution, PointKind
from partnerships.conversations.models import Format as ConversationFormat
from partnerships.transfer.network_format.fields import AT, choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

CONVERSATION = Shape(
    (
        Part("key", "key", required=True),
        Part("subject", required=True),
        reference_field("organisation", "organisations", required=True),
        reference_field("by", "people", required=True),
        Part("held_on", "date", required=True),
        Part("planned", "flag"),
        choice_field("how", ConversationFormat, default="in_person"),
        Part("with", "refs", required=True, to="organisations"),
        reference_field("partnership", "partnerships"),
        Part("said"),
        Part("decisions", "texts"),
        choice_field("attribution", Attribution, default="named"),
        Part("next_contact_on", "date"),
        Part("private_note"),
        Part("recorded", "moment", required=True),
        Part("circulated", "moment"),
        Part(
            "attendees",
            "parts",
            shape=Shape(
                (
                    reference_field("organisation", "organisations", required=True),
                    reference_field("person", "people"),
                    Part("name"),
                    Part("job_title"),
                )
            ),
        ),
        Part(
            "points",
            "parts",
            shape=Shape(
                (
                    reference_field("organisation", "organisations", required=True),
                    choice_field("kind", PointKind, required=True),
                    Part("text", required=True),
                )
            ),
        ),
        Part(
            "next_steps",
            "parts",
            shape=Shape(
                (
                    reference_field("organisation", "organisations", required=True),
                    Part("text", required=True),
                    Part("due_on", "date", required=True),
                    reference_field("owner", "people"),
                )
            ),
        ),
        Part(
            "agreed",
            "parts",
            shape=Shape(
                (
                    reference_field("organisation", "organisations", required=True),
                    reference_field("by", "people", required=True),
                    AT,
                )
            ),
        ),
    ),
    keys="conversations",
)
