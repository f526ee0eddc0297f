"""Loads a directory file: all of it, in bulk, or nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.db import transaction

from partnerships.kit.dates import known_day
from partnerships.kit.names import fold_name
from partnerships.kit.rights import require
from partnerships.organisations.models import (
    Area,
    AreaServed,
    Identifier,
    NameKind,
    Organisation,
    OrganisationName,
    Scheme,
    SuccessionStatus,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services import UnableToRecordSuccession, record_succession, ties_between
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import Register
from partnerships.transfer.network_format.directory_file import read_directory_file
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.recording import new_run, record_import, settle_run

#: Rows in one INSERT.
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many organisations a directory file added, and how many were known."""

    added: int
    known: int


@transaction.atomic
def load_directory(*, data: bytes, file_name: str, author: User | None, now: dt.datetime) -> Loaded:
    """Add the organisations of a directory file that the directory lacks.

    An organisation with one of its identifiers is that organisation and stays as it is; so do areas. Each list that the
    file was made from gets an import run, so that an older list only fills history. Raises `UnableToRead`.
    """
    file = read_directory_file(data, now)
    wait_for_turn()
    require(roles_of(author, now).keeps_directory)
    source = f"Directory file {PurePath(file_name).name}"
    areas = _areas(file["areas"])
    bodies, added = _organisations(file["organisations"], areas, source)
    fresh = {bodies[item["key"]].pk for item in added}
    for place, item in enumerate(file["successions"]):
        before = [bodies[key] for key in item["predecessors"]]
        after = [bodies[key] for key in item["successors"]]
        # What the directory knew already keeps its own successions.
        if fresh.intersection(body.pk for body in (*before, *after)):
            try:
                record_succession(
                    kind=item["kind"],
                    status=SuccessionStatus.EFFECTIVE,
                    vests_on=known_day(item["on"]),
                    ties=ties_between(before, after),
                    instrument=item["instrument"],
                    source=item["source"] or source,
                    author=author,
                    now=now,
                )
            except UnableToRecordSuccession as error:
                raise unable(
                    f"successions[{place}] is not possible: {error}", "Correct it, or leave it out."
                ) from error
    loaded = Loaded(len(added), len(file["organisations"]) - len(added))
    for given in file["lists"]:
        _note_list(given, loaded, hashlib.sha256(data).hexdigest(), author, now)
    return loaded


def _areas(items: list[dict[str, Any]]) -> dict[str, Area]:
    """Return the areas by code; missing ones are created, with what contains them."""
    known = {area.code: area for area in Area.objects.all()}
    new = [item for item in items if item["code"] not in known]
    areas = Area.objects.bulk_create(
        [
            Area(
                code=item["code"],
                name=item["name"],
                kind=item["kind"],
                valid_from=item["from"],
                valid_to=item["to"],
            )
            for item in new
        ],
        batch_size=_BATCH,
    )
    known.update((area.code, area) for area in areas)
    linked = []
    for item in new:
        if item["parent"] or item["region"]:
            area = known[item["code"]]
            area.parent, area.region = known.get(item["parent"]), known.get(item["region"])
            linked.append(area)
    Area.objects.bulk_update(linked, ["parent", "region"], batch_size=_BATCH)
    return known


def _organisations(
    items: list[dict[str, Any]], areas: dict[str, Area], source: str
) -> tuple[dict[str, Organisation], list[dict[str, Any]]]:
    """Return every organisation by its key in the file, and the items that are new."""
    holders = {
        (row.scheme, row.value): row.organisation
        for row in Identifier.objects.exclude(scheme=Scheme.NETWORK).select_related("organisation")
    }
    bodies: dict[str, Organisation] = {}
    added = []
    for item in items:
        held = (holders.get((part["scheme"], part["value"])) for part in item["identifiers"])
        known = next((body for body in held if body is not None), None)
        if known is None:
            added.append(item)
        else:
            bodies[item["key"]] = known
    organisations = Organisation.objects.bulk_create((_organisation(item, areas) for item in added), batch_size=_BATCH)
    bodies.update((item["key"], body) for item, body in zip(added, organisations, strict=True))
    _details(added, bodies, areas, source)
    return bodies, added


def _organisation(item: dict[str, Any], areas: dict[str, Area]) -> Organisation:
    same = ("name", "short_name", "kind", "council_type", "designation", "legal_form", "status", "website")
    return Organisation(
        **{name: item[name] for name in same},
        region=areas.get(item["region"]),
        valid_from=item["from"],
        valid_to=item["to"],
    )


def _details(
    items: Iterable[dict[str, Any]], bodies: dict[str, Organisation], areas: dict[str, Area], source: str
) -> None:
    """Create the names, identifiers and areas served of new organisations."""
    names, identifiers, served = [], [], []
    for item in items:
        body = bodies[item["key"]]
        called = {
            item["short_name"]: (NameKind.SHORT, None, None),
            item["name"]: (NameKind.OFFICIAL, None, None),
        }
        for part in item["names"]:
            called.setdefault(part["name"], (part["kind"], part["from"], part["to"]))
        for name, (kind, since, until) in called.items():
            if name:
                row = OrganisationName(organisation=body, name=name, folded=fold_name(name), kind=kind)
                row.valid_from, row.valid_to = since, until
                names.append(row)
        for part in item["identifiers"]:
            row_of = Identifier(organisation=body, scheme=part["scheme"], value=part["value"])
            row_of.valid_from, row_of.valid_to = part["from"], part["to"]
            identifiers.append(row_of)
        served += [
            AreaServed(
                organisation=body,
                area=areas[part["area"]],
                starts_on=part["from"],
                ends_on=part["to"],
                source=source[:200],
            )
            for part in item["areas"]
        ]
    OrganisationName.objects.bulk_create(names, batch_size=_BATCH)
    Identifier.objects.bulk_create(identifiers, batch_size=_BATCH)
    AreaServed.objects.bulk_create(served, batch_size=_BATCH)


def _note_list(given: dict[str, Any], loaded: Loaded, digest: str, author: User | None, now: dt.datetime) -> None:
    """Save an import run for one of the lists that the file was made from."""
    run = new_run(
        register=Register(given["register"]),
        file_name=given["file_name"],
        sha256=given["sha256"],
        as_of=given["as_of"],
        author=author,
        now=now,
    )
    report = Report()
    report.remark(
        f"Loaded from a directory file (SHA-256 {digest}), which added {loaded.added:,} organisations. "
        f"Publisher: {given['publisher']}. Licence: {given['licence']}."
    )
    settle_run(run, report).save(force_insert=True)
    record_import(
        run,
        EventKind.LIST_IMPORTED,
        author=author,
        now=now,
        counts={"created": loaded.added, "left_alone": loaded.known},
    )
