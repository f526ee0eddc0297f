"""The shapes of areas, organisations, people and memberships."""

from __future__ import annotations

from partnerships.organisations.models import AreaKind, CouncilType, Kind, Role, Scheme
from partnerships.transfer.network_format.fields import AREAS, choice_field, reference_field
from partnerships.transfer.reading.shapes import Part, Shape

AREA = Shape(
    (
        Part("code", required=True),
        Part("key", "key"),
        Part("name", required=True),
        choice_field("kind", AreaKind, default="district"),
        reference_field("parent", "areas"),
        reference_field("region", "areas"),
    ),
    keys="areas",
)


IDENTIFIER = Shape((choice_field("scheme", Scheme, required=True), Part("value", required=True)))


ORGANISATION = Shape(
    (
        Part("key", "key", required=True),
        Part("name", required=True),
        Part("short_name"),
        choice_field("kind", Kind, required=True),
        choice_field("council_type", CouncilType),
        Part("designation"),
        Part("legal_form"),
        Part("website"),
        Part("names", "texts"),
        Part("identifiers", "parts", shape=IDENTIFIER),
        AREAS,
        reference_field("region", "areas"),
        reference_field("parent", "organisations"),
        Part("valid_from", "date"),
        Part("ended", "date"),
        Part("successors", "refs", to="organisations"),
    ),
    keys="organisations",
)


PERSON = Shape(
    (
        Part("key", "key", required=True),
        Part("email", required=True),
        Part("name", required=True),
        Part("account", "flag"),
        Part("administrator", "flag"),
    ),
    keys="people",
)


MEMBERSHIP = Shape(
    (
        reference_field("person", "people", required=True),
        reference_field("organisation", "organisations", required=True),
        choice_field("role", Role, required=True),
        Part("job_title"),
        Part("since", "date"),
    )
)
