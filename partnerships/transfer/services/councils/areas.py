"""The areas of councils, and the codes that they have had."""

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
    """The area of each council by its key.

    Regions first, then counties, then what they contain. If `names_are_areas` (lists of codes and names), the list
    names new areas; known areas keep their names.
    """
    for code, name in REGION_NAMES.items():
        directory.area(code, name=name, kind=AreaKind.REGION)
    areas: dict[str, Area] = {}
    counties: dict[str, Area] = {}
    for council in sorted(councils, key=lambda council: council.type != "CTY"):
        code = LONDON if council.type == "SRA" else council.gss
        if council.type == "SRA":
            areas[council.key] = directory.areas[LONDON]
            continue
        name = council.short_name or council.name
        fields: dict[str, Any] = {"kind": _AREA_KINDS.get(council.type, AreaKind.DISTRICT)}
        if not names_are_areas or code not in directory.areas:
            fields["name"] = name
        if council.region:
            fields["region"] = directory.areas[council.region]
        if council.county in counties:
            fields["parent"] = counties[council.county]
        if council.ends_on and not council.is_current:
            fields["valid_to"] = council.ends_on
        area = directory.area(code, **fields)
        areas[council.key] = area
        if council.type == "CTY":
            counties[council.key] = area
        for former in council.former_codes:
            directory.area(former, name=name, kind=fields["kind"])
    return areas


def follow_code(
    body: Organisation, area: Area, directory: Directory, run: Import, *, ends_on: dt.date | None = None
) -> list[str]:
    """Make a council govern the area of its present code.

    A new code for the same place ends the old one. Nothing changes if the list still has a code that has ended, or a
    lower code of the same tier, which is older than the known one.
    """
    if area.valid_to is not None and ends_on is None:
        return []
    present = [row for rows in directory.served[body.pk].values() for row in rows if row.ends_on is None]
    by_pk = {area.pk: area.code for area in directory.areas.values()}
    if ends_on is None and any(
        by_pk[row.area_id][:3] == area.code[:3] and by_pk[row.area_id] > area.code for row in present
    ):
        return []
    said: list[str] = []
    older = [
        known
        for known in (
            directory.areas[code] for code in sorted(directory.values(body, Scheme.GSS)) if code in directory.areas
        )
        if known.pk != area.pk and known.kind == area.kind and known.valid_to is None
    ]
    for known in older:
        directory.area(known.code, valid_to=run.as_of)
        directory.area(area.code, valid_from=run.as_of, parent=known.parent, region=known.region)
        if directory.end_service(body, known, run.as_of, run):
            said.append(f"the code of its area {known.code} → {area.code}")
    starts_on = run.as_of if older else body.valid_from
    if directory.serve(body, area, run, starts_on=starts_on, ends_on=ends_on) and not said:
        said.append(f"serves {area.name}" if ends_on is None else f"served {area.name} until then")
    return said
