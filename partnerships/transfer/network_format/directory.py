"""The shapes of areas, organisations, people and memberships."""

from __future__ import annotations

from partnerships.organisations.models import AreaKind, CouncilType, Kind, Role, Scheme
from partnerships.transfer.network_format.fields import AREAS, choice, ref
from partnerships.transfer.reading.shapes import Part, Shape

AREA = Shape(
    (
        Part("code", required=True),
        Part("key", "key"),
        Part("name", required=True),
        choice("kind", AreaKind, default="district"),
        ref("parent", "areas"),
        ref("region", "areas"),
    ),
    keys="areas",
)


IDENTIFIER = Shape((choice("scheme", Scheme, required=True), Part("value", required=True)))


ORGANISATION = Shape(
    (
        Part("key", "key", required=True),
        Part("name", required=True),
        Part("short_name"),
        choice("kind", Kind, required=True),
        choice("council_type", CouncilType),
        Part("designation"),
        Part("legal_form"),
        Part("website"),
        Part("names", "texts"),
        Part("identifiers", "parts", shape=IDENTIFIER),
        AREAS,
        ref("region", "areas"),
        ref("parent", "organisations"),
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
        ref("person", "people", required=True),
        ref("organisation", "organisations", required=True),
        choice("role", Role, required=True),
        Part("job_title"),
        Part("since", "date"),
    )
)
