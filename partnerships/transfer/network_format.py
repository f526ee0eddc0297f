"""The format of a network file, version 1 (docs/network-format.md)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db.models import TextChoices

from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.agreements.models import Kind as PartnershipKind
from partnerships.agreements.models import PartyRole
from partnerships.agreements.models import Status as PartnershipStatus
from partnerships.conversations.models import Attribution, PointKind
from partnerships.conversations.models import Format as ConversationFormat
from partnerships.digests.models import Frequency
from partnerships.exchange.models import Audience as EntryAudience
from partnerships.exchange.models import Direction, Theme, Unit
from partnerships.organisations.models import AreaKind, CouncilType, Kind, Role, Scheme
from partnerships.plans.models import Audience as PlanAudience
from partnerships.plans.models import Decision
from partnerships.plans.models import Kind as PlanKind
from partnerships.transfer.reading.problems import UnableToRead, unable
from partnerships.transfer.reading.shapes import Checking, Part, Shape

FORMAT, VERSION = "common-ground-network", 1


def _choice(code: str, choices: type[TextChoices], *, required: bool = False, default: str = "") -> Part:
    return Part(code, "choice", required, choices=tuple(choices.values), default=default or None)


def _ref(code: str, to: str, *, required: bool = False) -> Part:
    return Part(code, "ref", required, to=to)


_BY = _ref("by", "people")
_AT = Part("at", "moment", required=True)
_REASON = Part("reason")
_AREAS = Part("areas", "refs", to="areas")

AREA = Shape(
    (
        Part("code", required=True),
        Part("key", "key"),
        Part("name", required=True),
        _choice("kind", AreaKind, default="district"),
        _ref("parent", "areas"),
        _ref("region", "areas"),
    ),
    keys="areas",
)
IDENTIFIER = Shape((_choice("scheme", Scheme, required=True), Part("value", required=True)))
ORGANISATION = Shape(
    (
        Part("key", "key", required=True),
        Part("name", required=True),
        Part("short_name"),
        _choice("kind", Kind, required=True),
        _choice("council_type", CouncilType),
        Part("designation"),
        Part("legal_form"),
        Part("website"),
        Part("names", "texts"),
        Part("identifiers", "parts", shape=IDENTIFIER),
        _AREAS,
        _ref("region", "areas"),
        _ref("parent", "organisations"),
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
        _ref("person", "people", required=True),
        _ref("organisation", "organisations", required=True),
        _choice("role", Role, required=True),
        Part("job_title"),
        Part("since", "date"),
    )
)
PARTY = Shape(
    (
        _ref("organisation", "organisations", required=True),
        _choice("role", PartyRole, default="member"),
        Part("invited", "moment"),
        Part("accepted", "moment"),
        Part("declined", "moment"),
        Part("left", "moment"),
        _BY,
        _REASON,
    )
)
STEP = Shape((_choice("to", PartnershipStatus, required=True), _AT, _BY, Part("reason", required=True)))
PARTNERSHIP = Shape(
    (
        Part("key", "key", required=True),
        Part("title", required=True),
        _choice("kind", PartnershipKind, required=True),
        _ref("chair", "organisations", required=True),
        _BY,
        Part("opened", "moment", required=True),
        Part("purpose"),
        _choice("audience", PartnershipAudience, default="parties"),
        _AREAS,
        Part("legally_binding", "flag"),
        Part("terms_of_reference"),
        Part("starts_on", "date"),
        Part("review_on", "date"),
        Part("ends_on", "date"),
        Part("quorum", "whole"),
        Part("meeting_frequency"),
        Part("contact_days", "whole"),
        Part("reports_to"),
        Part("contribution"),
        Part("annual_budget", "decimal"),
        Part("liabilities"),
        Part("parties", "parts", shape=PARTY),
        Part("steps", "parts", shape=STEP),
    ),
    keys="partnerships",
)
RESPONSE = Shape(
    (
        _ref("organisation", "organisations", required=True),
        _ref("by", "people", required=True),
        Part("text", required=True),
        Part("quantity", "decimal"),
        _AT,
        Part("accepted", "moment"),
        Part("declined", "moment"),
        _ref("decided_by", "people"),
        _REASON,
    )
)
ENTRY = Shape(
    (
        Part("key", "key", required=True),
        _choice("direction", Direction, required=True),
        _ref("organisation", "organisations", required=True),
        _BY,
        Part("title", required=True),
        _choice("theme", Theme, required=True),
        Part("statement"),
        Part("rationale"),
        Part("quantity", "decimal"),
        _choice("unit", Unit),
        Part("site"),
        _AREAS,
        Part("available_from", "date"),
        Part("available_until", "date"),
        Part("conditions"),
        Part("private_note"),
        Part("standing", "flag"),
        _choice("audience", EntryAudience, required=True),
        _ref("partnership", "partnerships"),
        Part("addressees", "refs", to="organisations"),
        Part("written", "moment"),
        Part("shared", "moment"),
        Part("responses", "parts", shape=RESPONSE),
        Part("withdrawn", "moment"),
        _REASON,
    ),
    keys="entries",
)
SIGNATURE = Shape(
    (
        _ref("organisation", "organisations", required=True),
        _ref("by", "people", required=True),
        _AT,
        _choice("decision", Decision, required=True),
        _REASON,
    )
)
PLAN_VERSION = Shape(
    (
        _BY,
        _AT,
        Part("note", required=True),
        Part("minor", "flag"),
        Part("content", "free"),
        Part("set", "free"),
    )
)
SIGN_OFF = Shape(
    (
        _BY,
        _AT,
        Part("due_on", "date"),
        _REASON,
        Part(
            "signatories",
            "parts",
            required=True,
            shape=Shape((_ref("organisation", "organisations", required=True), Part("role", required=True))),
        ),
        Part("signatures", "parts", shape=SIGNATURE),
    )
)
COMMENT = Shape(
    (
        _ref("by", "people", required=True),
        _AT,
        Part("text", required=True),
        Part("anchor"),
        Part("version", "whole"),
    )
)
SHARE = Shape(
    (
        _ref("person", "people", required=True),
        _BY,
        _AT,
        Part("may_comment", "flag"),
        Part("ends_on", "date"),
        Part("message"),
    )
)
PLAN = Shape(
    (
        Part("key", "key", required=True),
        Part("title", required=True),
        _choice("kind", PlanKind, required=True),
        _choice("audience", PlanAudience, required=True),
        Part("owners", "refs", True, to="organisations"),
        _ref("partnership", "partnerships"),
        _BY,
        Part("begun", "moment", required=True),
        Part("versions", "parts", shape=PLAN_VERSION),
        Part("draft", "free"),
        _ref("draft_by", "people"),
        Part("sign_off", "part", shape=SIGN_OFF),
        Part("comments", "parts", shape=COMMENT),
        Part("shares", "parts", shape=SHARE),
    ),
    keys="plans",
)
PROGRESS = Shape(
    (
        Part("status", "choice", True, choices=("in_progress", "at_risk", "blocked", "done")),
        _ref("by", "people", required=True),
        _AT,
        Part("delivered", "decimal"),
        Part("note"),
        Part("blocker"),
    )
)
COMMITMENT = Shape(
    (
        Part("key", "key", required=True),
        _ref("giver", "organisations", required=True),
        _ref("receiver", "organisations", required=True),
        Part("text", required=True),
        Part("quantity", "decimal"),
        _choice("unit", Unit),
        _ref("owner", "people"),
        Part("due_on", "date", required=True),
        _ref("partnership", "partnerships"),
        _ref("by", "people", required=True),
        Part("proposed", "moment", required=True),
        Part("confirmed", "moment"),
        _ref("confirmed_by", "people"),
        Part("progress", "parts", shape=PROGRESS),
        Part("verified", "moment"),
        _ref("verified_by", "people"),
    ),
    keys="commitments",
)
CONVERSATION = Shape(
    (
        Part("key", "key", required=True),
        Part("subject", required=True),
        _ref("organisation", "organisations", required=True),
        _ref("by", "people", required=True),
        Part("held_on", "date", required=True),
        Part("planned", "flag"),
        _choice("how", ConversationFormat, default="in_person"),
        Part("with", "refs", required=True, to="organisations"),
        _ref("partnership", "partnerships"),
        Part("said"),
        _choice("attribution", Attribution, default="named"),
        Part("next_contact_on", "date"),
        Part("private_note"),
        Part("recorded", "moment", required=True),
        Part("circulated", "moment"),
        Part(
            "attendees",
            "parts",
            shape=Shape(
                (
                    _ref("organisation", "organisations", required=True),
                    _ref("person", "people"),
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
                    _ref("organisation", "organisations", required=True),
                    _choice("kind", PointKind, required=True),
                    Part("text", required=True),
                )
            ),
        ),
        Part(
            "next_steps",
            "parts",
            shape=Shape(
                (
                    _ref("organisation", "organisations", required=True),
                    Part("text", required=True),
                    Part("due_on", "date", required=True),
                    _ref("owner", "people"),
                )
            ),
        ),
        Part(
            "agreed",
            "parts",
            shape=Shape(
                (_ref("organisation", "organisations", required=True), _ref("by", "people", required=True), _AT)
            ),
        ),
    ),
    keys="conversations",
)
SUBSCRIPTION = Shape(
    (
        _ref("person", "people", required=True),
        _ref("plan", "plans"),
        _ref("partnership", "partnerships"),
        _ref("organisation", "organisations"),
        _choice("frequency", Frequency),
        _ref("added_by", "people"),
        _ref("added_for", "organisations"),
        Part("why"),
        Part("asked", "moment", required=True),
        Part("confirmed", "moment"),
    )
)
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
        Part("entries", "parts", shape=ENTRY),
        Part("commitments", "parts", shape=COMMITMENT),
        Part("plans", "parts", shape=PLAN),
        Part("conversations", "parts", shape=CONVERSATION),
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
        raise unable(f"“{twice}” stands twice in one object.", "Remove one of the two.")
    return fields


def _check_addresses(read: dict[str, Any], checking: Checking) -> None:
    """Note people who share an email address."""
    seen: dict[str, int] = {}
    for place, person in enumerate(read.get("people") or []):
        address = person.get("email", "").casefold()
        earlier = seen.setdefault(address, place) if address else place
        if earlier != place:
            checking.note(
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
        raise unable("it is nested without end.", "See docs/network-format.md.") from error
    except ValueError as error:  # a number of thousands of digits
        raise unable("it holds a number that no field can.", "Correct the number.") from error
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
