"""The areas that councils serve, and the GSS codes that these areas have had."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.organisations.models import (
    Area,
    AreaKind,
    Organisation,
    Scheme,
)
from partnerships.transfer.reading.councils import REGION_NAMES, Council
from partnerships.transfer.services.directory import Directory, Import

#: The Greater London Authority's code names the body; its area is the region.
LONDON = "E12000007"

_AREA_KINDS = {"CTY": AreaKind.COUNTY, "COMB": AreaKind.COMBINED_AUTHORITY, "SRA": AreaKind.REGION}


def areas_of(councils: tuple[Council, ...], directory: Directory, *, names_are_areas: bool) -> dict[str, Area]:
    """Return the area of each council by the council's key; areas are created and updated as needed.

    If `names_are_areas` (lists of codes and names), the list names new areas only; existing ones keep their names.
    """
    for code, name in REGION_NAMES.items():
        directory.area(code, name=name, kind=AreaKind.REGION)
    areas_by_key: dict[str, Area] = {}
    county_areas_by_key: dict[str, Area] = {}
    # Counties first: they are the parents of districts.
    for council in sorted(councils, key=lambda council: council.type != "CTY"):
        if council.type == "SRA":
            areas_by_key[council.key] = directory.areas[LONDON]
            continue
        name = council.short_name or council.name
        fields: dict[str, Any] = {"kind": _AREA_KINDS.get(council.type, AreaKind.DISTRICT)}
        if not names_are_areas or council.gss not in directory.areas:
            fields["name"] = name
        if council.region:
            fields["region"] = directory.areas[council.region]
        if council.county in county_areas_by_key:
            fields["parent"] = county_areas_by_key[council.county]
        if council.ends_on and not council.is_current:
            fields["valid_to"] = council.ends_on
        area = directory.area(council.gss, **fields)
        areas_by_key[council.key] = area
        if council.type == "CTY":
            county_areas_by_key[council.key] = area
        for former_code in council.former_codes:
            directory.area(former_code, name=name, kind=fields["kind"])
    return areas_by_key


def follow_code(
    body: Organisation, area: Area, directory: Directory, run: Import, *, ends_on: dt.date | None = None
) -> list[str]:
    """Make a council serve the area with its present code; returns the changes in words.

    A new code for the same place ends the old one. Nothing changes if the list has a code that is older than the one in
    the directory.
    """
    if ends_on is None and (area.valid_to is not None or _serves_newer_code(body, area, directory)):
        return []
    changes: list[str] = []
    former_areas = _current_areas_with_other_codes(body, area, directory)
    for former in former_areas:
        directory.area(former.code, valid_to=run.as_of)
        directory.area(area.code, valid_from=run.as_of, parent=former.parent, region=former.region)
        if directory.end_service(body, former, run.as_of, run):
            changes.append(f"the code of its area {former.code} → {area.code}")
    starts_on = run.as_of if former_areas else body.valid_from
    if directory.serve(body, area, run, starts_on=starts_on, ends_on=ends_on) and not changes:
        changes.append(f"serves {area.name}" if ends_on is None else f"served {area.name} until then")
    return changes


def _serves_newer_code(body: Organisation, area: Area, directory: Directory) -> bool:
    """Return whether the council already serves an area of the same tier with a higher code, which is a newer one."""
    code_by_pk = {area.pk: area.code for area in directory.areas.values()}
    present_codes = [
        code_by_pk[service.area_id]
        for services in directory.served[body.pk].values()
        for service in services
        if service.ends_on is None
    ]
    return any(code[:3] == area.code[:3] and code > area.code for code in present_codes)


def _current_areas_with_other_codes(body: Organisation, area: Area, directory: Directory) -> list[Area]:
    """Return areas of the same kind with the council's other GSS codes that have not ended."""
    codes = sorted(directory.values(body, Scheme.GSS))
    areas = [directory.areas[code] for code in codes if code in directory.areas]
    return [other for other in areas if other.pk != area.pk and other.kind == area.kind and other.valid_to is None]
