"""Load the pending successions that come with the project."""

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

#: What is to come, with its sources (docs/successions.md).
PENDING = Path(__file__).resolve().parents[1] / "pending.json"
#: Texts of a succession that the file gives as they are.
_TEXTS = ("place", "proposal", "instrument", "source", "source_url")


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many successions were recorded, known, or wait for predecessors."""

    recorded: int = 0
    known: int = 0
    waiting: int = 0


@transaction.atomic
def load_pending(*, author: User | None, now: dt.datetime) -> Loaded:
    """Record the successions of the project's file that the directory lacks.

    Those whose predecessors are not all in the directory wait until they are. What administrators changed or cancelled
    since stays as it is.
    """
    require(roles_of(author, now).keeps_directory)
    file = json.loads(PENDING.read_text(encoding="utf-8"))
    added = {item["key"]: item for item in file["organisations"]}
    recorded = known = waiting = 0
    for item in file["successions"]:
        predecessors = _bodies(Scheme.GSS, item["predecessors"])
        if len(predecessors) < len(item["predecessors"]):
            waiting += 1
            continue
        successors = [_successor(added[key], author=author, now=now) for key in item["successors"]]
        if Succession.objects.filter(ties__successor__in=successors, ties__predecessor__in=predecessors).exists():
            known += 1
            continue
        record_succession(
            kind=item["kind"],
            status=item["status"],
            vests_on=PartialDate.parse(item["vests_on"]),
            shadow_on=PartialDate.parse(item["shadow_on"]) if item.get("shadow_on") else None,
            ties=ties_between(predecessors, successors),
            author=author,
            now=now,
            **{name: item.get(name, "") for name in _TEXTS},
        )
        recorded += 1
    return Loaded(recorded, known, waiting)


def _bodies(scheme: str, values: list[str]) -> list[Organisation]:
    identifiers = (
        Identifier.objects.filter(scheme=scheme, value__in=values).select_related("organisation").order_by("value")
    )
    return [row.organisation for row in identifiers]


def _successor(item: dict[str, Any], *, author: User | None, now: dt.datetime) -> Organisation:
    """The organisation of the file, created if the directory lacks it."""
    key = f"pending:{item['key']}"
    if bodies := _bodies(Scheme.NETWORK, [key]):
        return bodies[0]
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
