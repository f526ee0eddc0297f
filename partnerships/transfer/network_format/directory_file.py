"""The shape of a directory file (version 1 of the format), and the function that reads one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.organisations.models import AreaKind, CouncilType, Kind, NameKind, Scheme, Status, SuccessionKind
from partnerships.transfer.network_format.fields import choice_field, reference_field
from partnerships.transfer.network_format.parsing import parse_file, read_checked
from partnerships.transfer.reading.shapes import Checking, Part, Shape

FORMAT, VERSION = "common-ground-directory", 1
#: The registers of organisations (a test compares them with `ORGANISATION_REGISTERS`).
REGISTERS = ("councils", "leps", "providers", "combined-authorities")

_FROM, _TO = Part("from", "date"), Part("to", "date")

LIST = Shape(
    (
        Part("register", "choice", True, choices=REGISTERS),
        Part("publisher", required=True),
        Part("licence", required=True),
        Part("file_name", required=True),
        Part("sha256", required=True),
        Part("as_of", "date", True),
    )
)

AREA = Shape(
    (
        Part("code", required=True),
        Part("key", "key"),
        Part("name", required=True),
        choice_field("kind", AreaKind, required=True),
        reference_field("parent", "areas"),
        reference_field("region", "areas"),
        _FROM,
        _TO,
    ),
    keys="areas",
)

NAME = Shape(
    (Part("name", required=True), choice_field("kind", NameKind, default=NameKind.ALTERNATIVE.value), _FROM, _TO)
)

#: `org_id` is for programs that read the file. It is made from the scheme, the value and the kind.
IDENTIFIER = Shape(
    (choice_field("scheme", Scheme, required=True), Part("value", required=True), Part("org_id"), _FROM, _TO)
)

SERVED = Shape((reference_field("area", "areas", required=True), _FROM, _TO))

ORGANISATION = Shape(
    (
        Part("key", "key", True),
        Part("name", required=True),
        Part("short_name"),
        choice_field("kind", Kind, required=True),
        choice_field("council_type", CouncilType),
        Part("designation"),
        Part("legal_form"),
        choice_field("status", Status, default=Status.ACTIVE.value),
        reference_field("region", "areas"),
        Part("website"),
        _FROM,
        _TO,
        Part("identifiers", "parts", True, shape=IDENTIFIER),
        Part("names", "parts", shape=NAME),
        Part("areas", "parts", shape=SERVED),
    ),
    keys="organisations",
)

SUCCESSION = Shape(
    (
        choice_field("kind", SuccessionKind, required=True),
        Part("on", "date"),
        Part("predecessors", "refs", True, to="organisations"),
        Part("successors", "refs", True, to="organisations"),
        Part("instrument"),
        Part("source"),
    )
)

DIRECTORY = Shape(
    (
        Part("format", "choice", True, choices=(FORMAT,)),
        Part("version", "whole", True),
        Part("about"),
        Part("attribution", required=True),
        Part("lists", "parts", True, shape=LIST),
        Part("areas", "parts", shape=AREA),
        Part("organisations", "parts", shape=ORGANISATION),
        Part("successions", "parts", shape=SUCCESSION),
    ),
    keys="directory",
)


def read_directory_file(data: bytes, now: dt.datetime) -> dict[str, Any]:
    """Return the checked content of a directory file.

    Raises `UnableToRead` with every problem and its path in the file.
    """
    value = parse_file(data, form=FORMAT, version=VERSION, page="docs/directory-format.md")
    return read_checked(value, DIRECTORY, now, _check_identifiers)


def _check_identifiers(content: dict[str, Any], checking: Checking) -> None:
    """Add a problem for each identifier that two organisations of the file have."""
    index_by_identifier: dict[tuple[str, str], int] = {}
    for index, organisation in enumerate(content.get("organisations") or []):
        for identifier in organisation.get("identifiers") or []:
            scheme_and_value = identifier.get("scheme", ""), identifier.get("value", "")
            if index_by_identifier.setdefault(scheme_and_value, index) != index:
                first_index = index_by_identifier[scheme_and_value]
                scheme, value = scheme_and_value
                checking.add_problem(
                    f"organisations[{index}].identifiers",
                    f"{scheme} {value} already belongs to organisations[{first_index}].",
                    "Keep this identifier on only one of the two organisations.",
                )
