"""Read and check a network file, version 1 of the format."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from partnerships.transfer.network_format.commitments import COMMITMENT
from partnerships.transfer.network_format.conversations import CONVERSATION
from partnerships.transfer.network_format.directory import AREA, MEMBERSHIP, ORGANISATION, PERSON
from partnerships.transfer.network_format.entries import ENTRY
from partnerships.transfer.network_format.meetings import CYCLE, MEETING
from partnerships.transfer.network_format.objectives import OBJECTIVE
from partnerships.transfer.network_format.partnerships import PARTNERSHIP, WORKING_GROUP
from partnerships.transfer.network_format.plans import PLAN
from partnerships.transfer.network_format.posts import FACILITATOR, POST
from partnerships.transfer.network_format.reports import REPORTING
from partnerships.transfer.network_format.subscriptions import SUBSCRIPTION
from partnerships.transfer.reading.problems import UnableToRead, unable
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
        Part("facilitators", "parts", shape=FACILITATOR),
        Part("subscriptions", "parts", shape=SUBSCRIPTION),
    ),
    keys="network",
)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are unique.

    Python's parser would silently keep the last of two equal keys.
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise unable(f"“{twice}” occurs twice in one object.", "Remove one of the two.")
    return fields


def _check_addresses(read: dict[str, Any], checking: Checking) -> None:
    """Report people who share an email address."""
    seen: dict[str, int] = {}
    for place, person in enumerate(read.get("people") or []):
        address = person.get("email", "").casefold()
        earlier = seen.setdefault(address, place) if address else place
        if earlier != place:
            checking.add_problem(
                f"people[{place}].email",
                f"“{person['email']}” is already the address of people[{earlier}].",
                "Make them one person, or give each their own address.",
            )


def read_network(data: bytes, now: dt.datetime) -> dict[str, Any]:
    """The checked content of a network file.

    Raises `UnableToRead` with every problem and its path.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_each_once)
    except UnicodeDecodeError as error:
        raise unable("it is not UTF-8 text.", "Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise unable(f"it is not JSON: {error.msg}.", "Look just before this place.", row=error.lineno) from error
    except RecursionError as error:
        raise unable("it is nested too deeply.", "See docs/network-format.md.") from error
    except ValueError as error:  # a number of thousands of digits
        raise unable("it contains a number that is too long.", "Correct the number.") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise unable(
            f'it does not say that it is a network file ("format": "{FORMAT}").', "See docs/network-format.md."
        )
    if value.get("version") != VERSION:
        raise unable(
            f"it is of version {value.get('version')} of the format; this program reads version {VERSION}.",
            "Write it in that version: see docs/network-format.md.",
        )
    areas = value.get("areas")
    for place, area in enumerate(areas if isinstance(areas, list) else []):
        # Areas are known by their codes; the format gives them no other key.
        if isinstance(area, dict) and isinstance(area.get("code"), str):
            code = area["code"].strip().upper()
            value["areas"][place] = {**area, "code": code, "key": code.lower()}
    checking = Checking(now)
    read = checking.object(value, NETWORK, "")
    checking.keys["areas"] = {key.upper(): path for key, path in checking.keys.get("areas", {}).items()}
    checking.check_refs()
    _check_addresses(read, checking)
    if checking.problems:
        raise UnableToRead(checking.problems)
    return read
