"""The areas that councils serve, and the GSS codes of these areas over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from partnerships.organisations.models import (
    Area,
    AreaKind,
    Organisation,
    Scheme,
)
from partnerships.transfer.reading.councils import REGION_NAMES, Council
from partnerships.transfer.services.directory import Directory, RunningImport

#: The code of the Greater London Authority in lists, which is the code of the London region.
LONDON = "E12000007"

_AREA_KINDS = {"CTY": AreaKind.COUNTY, "COMB": AreaKind.COMBINED_AUTHORITY, "SRA": AreaKind.REGION}


def save_areas(councils: tuple[Council, ...], directory: Directory, *, names_are_areas: bool) -> dict[str, Area]:
    """Return the area of each council by the council's key. Areas are created and updated as needed.

    If `names_are_areas` (lists of codes and names), the list names only new areas. Existing ones keep their names.
    """
    for code, name in REGION_NAMES.items():
        directory.area(code, name=name, kind=AreaKind.REGION)
    areas_by_key: dict[str, Area] = {}
    county_areas_by_key: dict[str, Area] = {}
    # Counties come first, since they are the parents of districts.
    for council in sorted(councils, key=lambda council: council.type != "CTY"):
        if council.type == "SRA":
            areas_by_key[council.key] = directory.areas[LONDON]
            continue
        area = _save_area(council, county_areas_by_key, directory, names_are_areas=names_are_areas)
        areas_by_key[council.key] = area
        if council.type == "CTY":
            county_areas_by_key[council.key] = area
    return areas_by_key


def _save_area(
    council: Council, county_areas_by_key: Mapping[str, Area], directory: Directory, *, names_are_areas: bool
) -> Area:
    """Create or update the area of a council, and the areas of its former codes. Return the area with its code."""
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
    for former_code in council.former_codes:
        directory.area(former_code, name=name, kind=fields["kind"])
    return area


def update_area_of_code(
    council: Organisation, area: Area, directory: Directory, run: RunningImport, *, ends_on: dt.date | None = None
) -> list[str]:
    """Make a council serve the area with its current code, and return the changes in words.

    A new code for the same place ends the area of the old one. Nothing changes if the list's code is older than the
    directory's.
    """
    if ends_on is None and (area.valid_to is not None or _serves_newer_code(council, area, directory)):
        return []
    changes: list[str] = []
    former_areas = _current_areas_with_other_codes(council, area, directory)
    for former_area in former_areas:
        directory.area(former_area.code, valid_to=run.as_of)
        directory.area(area.code, valid_from=run.as_of, parent=former_area.parent, region=former_area.region)
        if directory.end_service(council, former_area, run.as_of, run):
            changes.append(f"the code of its area changed from {former_area.code} to {area.code}")
    starts_on = run.as_of if former_areas else council.valid_from
    if directory.serve(council, area, run, starts_on=starts_on, ends_on=ends_on) and not changes:
        changes.append(f"serves {area.name}" if ends_on is None else f"served {area.name} until then")
    return changes


def _serves_newer_code(council: Organisation, area: Area, directory: Directory) -> bool:
    """Return whether the council serves an area of the same tier with a higher code, which is a newer code."""
    code_by_pk = {area.pk: area.code for area in directory.areas.values()}
    served_codes = [
        code_by_pk[service.area_id]
        for services in directory.served[council.pk].values()
        for service in services
        if service.ends_on is None
    ]
    return any(code[:3] == area.code[:3] and code > area.code for code in served_codes)


def _current_areas_with_other_codes(council: Organisation, area: Area, directory: Directory) -> list[Area]:
    """Return the areas of the same kind that have other GSS codes of the council and have not ended."""
    codes = sorted(directory.values(council, Scheme.GSS))
    areas = [directory.areas[code] for code in codes if code in directory.areas]
    return [other for other in areas if other.pk != area.pk and other.kind == area.kind and other.valid_to is None]
