"""The shape of a network file (version 1 of the format), and the function that reads one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.transfer.network_format.commitments import COMMITMENT
from partnerships.transfer.network_format.conversations import CONVERSATION
from partnerships.transfer.network_format.directory import AREA, MEMBERSHIP, ORGANISATION, PERSON
from partnerships.transfer.network_format.entries import ENTRY
from partnerships.transfer.network_format.meetings import CYCLE, MEETING
from partnerships.transfer.network_format.nominations import NOMINATIONS_RETURN
from partnerships.transfer.network_format.objectives import OBJECTIVE
from partnerships.transfer.network_format.parsing import parse_file, read_checked
from partnerships.transfer.network_format.partnerships import PARTNERSHIP, WORKING_GROUP
from partnerships.transfer.network_format.plans import PLAN
from partnerships.transfer.network_format.posts import FACILITATOR, POST
from partnerships.transfer.network_format.recommendations import ADOPTION, RESPONSE
from partnerships.transfer.network_format.reports import REPORTING
from partnerships.transfer.network_format.subscriptions import SUBSCRIPTION
from partnerships.transfer.network_format.surveys import SURVEY
from partnerships.transfer.reading.shapes import Checking, Part, Shape

FORMAT, VERSION = "common-ground-network", 1


NETWORK = Shape(
    (
        Part("format", "choice", True, choices=(FORMAT,)),
        Part("version", "whole", True),
        Part("name", "key", True),
        Part("about"),
        Part("begins", "moment"),
        Part("demo_password"),
        Part("areas", "parts", shape=AREA),
        Part("organisations", "parts", shape=ORGANISATION),
        Part("people", "parts", shape=PERSON),
        Part("memberships", "parts", shape=MEMBERSHIP),
        Part("partnerships", "parts", shape=PARTNERSHIP),
        Part("working_groups", "parts", shape=WORKING_GROUP),
        Part("posts", "parts", shape=POST),
        Part("entries", "parts", shape=ENTRY),
        Part("commitments", "parts", shape=COMMITMENT),
        Part("objectives", "parts", shape=OBJECTIVE),
        Part("plans", "parts", shape=PLAN),
        Part("conversations", "parts", shape=CONVERSATION),
        Part("meeting_cycles", "parts", shape=CYCLE),
        Part("meetings", "parts", shape=MEETING),
        Part("reporting", "parts", shape=REPORTING),
        Part("nominations_returns", "parts", shape=NOMINATIONS_RETURN),
        Part("responses", "parts", shape=RESPONSE),
        Part("adoptions", "parts", shape=ADOPTION),
        Part("surveys", "parts", shape=SURVEY),
        Part("facilitators", "parts", shape=FACILITATOR),
        Part("subscriptions", "parts", shape=SUBSCRIPTION),
    ),
    keys="network",
)


def _check_addresses(content: dict[str, Any], checking: Checking) -> None:
    """Add a problem for each person who has the email address of an earlier one."""
    index_by_address: dict[str, int] = {}
    for index, person in enumerate(content.get("people") or []):
        address = person.get("email", "").casefold()
        first_index = index_by_address.setdefault(address, index) if address else index
        if first_index != index:
            checking.add_problem(
                f"people[{index}].email",
                f"“{person['email']}” is already the address of people[{first_index}].",
                "If both are the same person, keep only one. Otherwise give each person a different address.",
            )


def read_network(data: bytes, now: dt.datetime) -> dict[str, Any]:
    """Return the checked content of a network file.

    Raises `UnableToRead` with every problem and its path in the file.
    """
    value = parse_file(data, form=FORMAT, version=VERSION, page="docs/network-format.md")
    return read_checked(value, NETWORK, now, _check_addresses)
