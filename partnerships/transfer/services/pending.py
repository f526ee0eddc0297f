"""Load the pending successions from the file that comes with the project."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from partnerships.kit.dates import PartialDate
from partnerships.kit.rights import require
from partnerships.organisations.models import Area, Identifier, Organisation, Scheme, Status, Succession
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services import create_organisation, record_succession, ties_between
from partnerships.people.models import User

#: The file of successions that will take effect, with their sources (docs/successions.md).
PENDING = Path(__file__).resolve().parents[1] / "pending.json"
#: Text fields of a succession, which have the same names in the file.
_TEXT_FIELDS = ("place", "proposal", "instrument", "source", "source_url")


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many successions of the file were recorded, and how many were not."""

    recorded: int = 0
    #: The number of successions that were recorded earlier.
    known: int = 0
    #: The number of successions with predecessors that are not in the directory yet.
    waiting: int = 0


@transaction.atomic
def load_pending(*, author: User | None, now: dt.datetime) -> Loaded:
    """Record the successions of the file that the directory does not have.

    A succession is not recorded until all its predecessors are in the directory. Changes and cancellations by
    administrators are not overwritten.
    """
    require(roles_of(author, now).may_change_directory)
    file = json.loads(PENDING.read_text(encoding="utf-8"))
    successor_by_key = {item["key"]: item for item in file["organisations"]}
    recorded_count = known_count = waiting_count = 0
    for item in file["successions"]:
        predecessors = _organisations(Scheme.GSS, item["predecessors"])
        if len(predecessors) < len(item["predecessors"]):
            waiting_count += 1
            continue
        successors = [_successor(successor_by_key[key], author=author, now=now) for key in item["successors"]]
        if Succession.objects.filter(ties__successor__in=successors, ties__predecessor__in=predecessors).exists():
            known_count += 1
            continue
        record_succession(
            kind=item["kind"],
            status=item["status"],
            vests_on=PartialDate.parse(item["vests_on"]),
            shadow_on=PartialDate.parse(item["shadow_on"]) if item.get("shadow_on") else None,
            ties=ties_between(predecessors, successors),
            author=author,
            now=now,
            **{name: item.get(name, "") for name in _TEXT_FIELDS},
        )
        recorded_count += 1
    return Loaded(recorded=recorded_count, known=known_count, waiting=waiting_count)


def _organisations(scheme: str, values: list[str]) -> list[Organisation]:
    """Return the organisations that have one of these identifiers, in the order of the identifiers."""
    identifiers = Identifier.objects.filter(scheme=scheme, value__in=values)
    return [identifier.organisation for identifier in identifiers.select_related("organisation").order_by("value")]


def _successor(item: dict[str, Any], *, author: User | None, now: dt.datetime) -> Organisation:
    """Return the successor from the file. Create it if the directory does not have it."""
    key = f"pending:{item['key']}"
    existing_organisations = _organisations(Scheme.NETWORK, [key])
    if existing_organisations:
        return existing_organisations[0]
    return create_organisation(
        name=item["name"],
        kind=item["kind"],
        short_name=item["short_name"],
        council_type=item["council_type"],
        region=Area.objects.filter(code=item["region"]).first(),
        status=Status.PROPOSED,
        identifiers=[(Scheme.NETWORK, key)],
        author=author,
        now=now,
    )
