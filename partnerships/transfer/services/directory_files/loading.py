"""Load a directory file in bulk, either as a whole or not at all."""

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
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.locking import lock_imports
from partnerships.transfer.services.recording import new_run, record_import, settle_run

#: The number of rows in one INSERT.
_BATCH = 1000
#: Fields of an organisation that have the same names in the file.
_SAME_FIELDS = ("name", "short_name", "kind", "council_type", "designation", "legal_form", "status", "website")


@dataclass(frozen=True, slots=True)
class LoadedCounts:
    """How many organisations a directory file added, and how many were in the directory already."""

    added: int
    known: int


@transaction.atomic
def load_directory(*, data: bytes, file_name: str, author: User | None, now: dt.datetime) -> LoadedCounts:
    """Add the organisations of a directory file that are not in the directory.

    An organisation of the directory with one of the identifiers counts as the same organisation, and does not change;
    areas of the directory do not change either. Each list that the file was made from gets an import run, so that an
    older list only fills history. Raises `UnableToRead` if the file is invalid or a succession is not possible.
    """
    file = read_directory_file(data, now)
    lock_imports()
    require(roles_of(author, now).may_change_directory)
    source = f"Directory file {PurePath(file_name).name}"
    area_by_code = _load_areas(file["areas"])
    organisation_by_key, new_items = _load_organisations(file["organisations"], area_by_code, source)
    new_ids = {organisation_by_key[item["key"]].pk for item in new_items}
    for index, item in enumerate(file["successions"]):
        predecessors = [organisation_by_key[key] for key in item["predecessors"]]
        successors = [organisation_by_key[key] for key in item["successors"]]
        # Organisations that were in the directory before keep the successions recorded there.
        if new_ids.isdisjoint(organisation.pk for organisation in (*predecessors, *successors)):
            continue
        try:
            _record_succession(item, predecessors, successors, source, author, now)
        except UnableToRecordSuccession as error:
            raise refuse_file(
                f"successions[{index}] is not possible: {error}", "Correct the succession, or remove it."
            ) from error

    loaded = LoadedCounts(added=len(new_items), known=len(file["organisations"]) - len(new_items))
    digest = hashlib.sha256(data).hexdigest()
    for source_list in file["lists"]:
        _save_run(source_list, loaded, digest, author, now)
    return loaded


def _record_succession(
    item: dict[str, Any],
    predecessors: list[Organisation],
    successors: list[Organisation],
    source: str,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record a past succession of the file. Raises `UnableToRecordSuccession` if it is not possible."""
    record_succession(
        kind=item["kind"],
        status=SuccessionStatus.EFFECTIVE,
        vests_on=known_day(item["on"]),
        ties=ties_between(predecessors, successors),
        instrument=item["instrument"],
        source=item["source"] or source,
        author=author,
        now=now,
    )


def _load_areas(items: list[dict[str, Any]]) -> dict[str, Area]:
    """Create the areas that are missing, and return all areas by their codes."""
    area_by_code = {area.code: area for area in Area.objects.all()}
    new_items = [item for item in items if item["code"] not in area_by_code]
    new_areas = Area.objects.bulk_create(
        [
            Area(
                code=item["code"],
                name=item["name"],
                kind=item["kind"],
                valid_from=item["from"],
                valid_to=item["to"],
            )
            for item in new_items
        ],
        batch_size=_BATCH,
    )
    area_by_code.update((area.code, area) for area in new_areas)

    # Parents and regions may come later in the file, so they are linked when all areas exist.
    linked_areas = []
    for item in new_items:
        if item["parent"] or item["region"]:
            area = area_by_code[item["code"]]
            area.parent = area_by_code.get(item["parent"])
            area.region = area_by_code.get(item["region"])
            linked_areas.append(area)
    Area.objects.bulk_update(linked_areas, ["parent", "region"], batch_size=_BATCH)
    return area_by_code


def _load_organisations(
    items: list[dict[str, Any]], area_by_code: dict[str, Area], source: str
) -> tuple[dict[str, Organisation], list[dict[str, Any]]]:
    """Create the organisations that are missing.

    Returns every organisation of the file by its key there, and the items of the new organisations.
    """
    identifiers = Identifier.objects.exclude(scheme=Scheme.NETWORK).select_related("organisation")
    organisation_by_identifier = {
        (identifier.scheme, identifier.value): identifier.organisation for identifier in identifiers
    }
    organisation_by_key: dict[str, Organisation] = {}
    new_items = []
    for item in items:
        pairs = [(identifier["scheme"], identifier["value"]) for identifier in item["identifiers"]]
        existing_pair = next((pair for pair in pairs if pair in organisation_by_identifier), None)
        if existing_pair is not None:
            organisation_by_key[item["key"]] = organisation_by_identifier[existing_pair]
        else:
            new_items.append(item)

    new_organisations = Organisation.objects.bulk_create(
        (_organisation(item, area_by_code) for item in new_items), batch_size=_BATCH
    )
    organisation_by_key.update(
        (item["key"], organisation) for item, organisation in zip(new_items, new_organisations, strict=True)
    )
    _create_details(new_items, organisation_by_key, area_by_code, source)
    return organisation_by_key, new_items


def _organisation(item: dict[str, Any], area_by_code: dict[str, Area]) -> Organisation:
    """Return a new organisation, which the caller saves."""
    return Organisation(
        **{name: item[name] for name in _SAME_FIELDS},
        region=area_by_code.get(item["region"]),
        valid_from=item["from"],
        valid_to=item["to"],
    )


def _create_details(
    items: Iterable[dict[str, Any]],
    organisation_by_key: dict[str, Organisation],
    area_by_code: dict[str, Area],
    source: str,
) -> None:
    """Create the names, the identifiers and the areas of new organisations."""
    names: list[OrganisationName] = []
    identifiers: list[Identifier] = []
    areas_served: list[AreaServed] = []
    for item in items:
        organisation = organisation_by_key[item["key"]]
        names += _names(item, organisation)
        identifiers += [
            Identifier(
                organisation=organisation,
                scheme=part["scheme"],
                value=part["value"],
                valid_from=part["from"],
                valid_to=part["to"],
            )
            for part in item["identifiers"]
        ]
        areas_served += [
            AreaServed(
                organisation=organisation,
                area=area_by_code[part["area"]],
                starts_on=part["from"],
                ends_on=part["to"],
                source=source[:200],
            )
            for part in item["areas"]
        ]
    OrganisationName.objects.bulk_create(names, batch_size=_BATCH)
    Identifier.objects.bulk_create(identifiers, batch_size=_BATCH)
    AreaServed.objects.bulk_create(areas_served, batch_size=_BATCH)


def _names(item: dict[str, Any], organisation: Organisation) -> list[OrganisationName]:
    """Return the names of an organisation, which the caller saves.

    Each text occurs once. The official name has the kind of an official name.
    """
    name_parts: dict[str, dict[str, Any]] = {
        item["short_name"]: {"kind": NameKind.SHORT, "from": None, "to": None},
        item["name"]: {"kind": NameKind.OFFICIAL, "from": None, "to": None},
    }
    for part in item["names"]:
        name_parts.setdefault(part["name"], part)
    return [
        OrganisationName(
            organisation=organisation,
            name=name,
            folded=fold_name(name),
            kind=part["kind"],
            valid_from=part["from"],
            valid_to=part["to"],
        )
        for name, part in name_parts.items()
        if name
    ]


def _save_run(
    source_list: dict[str, Any], loaded: LoadedCounts, digest: str, author: User | None, now: dt.datetime
) -> None:
    """Save an import run for one of the lists that the file was made from.

    Later imports compare their dates with it, so that an older list only fills history.
    """
    run = new_run(
        register=Register(source_list["register"]),
        file_name=source_list["file_name"],
        sha256=source_list["sha256"],
        as_of=source_list["as_of"],
        author=author,
        now=now,
    )
    report = Report()
    report.remark(
        f"Loaded from a directory file (SHA-256 {digest}), which added {loaded.added:,} organisations. "
        f"Publisher: {source_list['publisher']}. Licence: {source_list['licence']}."
    )
    settle_run(run, report).save(force_insert=True)
    record_import(
        run,
        EventKind.LIST_IMPORTED,
        author=author,
        now=now,
        counts={"created": loaded.added, "left_alone": loaded.known},
    )
