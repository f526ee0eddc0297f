"""Bringing in councils and combined authorities: bodies, the areas they govern, and who followed whom."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from partnerships.organisations.models import (
    Area,
    AreaKind,
    Kind,
    Organisation,
    Scheme,
    Status,
    SuccessionKind,
)
from partnerships.organisations.services import create_organisation, dissolve, record_succession
from partnerships.transfer.reading.councils import REGION_NAMES, Council, CouncilList
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import Directory, Import, alternative_names

#: The Greater London Authority's code names the body; its area is the region.
LONDON = "E12000007"
_AREA_KINDS = {"CTY": AreaKind.COUNTY, "COMB": AreaKind.COMBINED_AUTHORITY, "SRA": AreaKind.REGION}


def bring_councils(listed: CouncilList, directory: Directory, run: Import) -> None:
    """Bring the directory up to date with a list. Raises `UnableToRead` where the list contradicts itself or the
    directory.
    """
    _check(listed, directory)
    if listed.elsewhere:
        run.report.remark(f"{listed.elsewhere:,} rows of councils outside England were left aside.")
    areas = _areas(listed.councils, directory)
    bodies: dict[str, Organisation] = {}
    for done, council in enumerate(listed.councils, start=1):
        bodies[council.key] = _body(council, areas[council.key], directory, run)
        run.progress(done, len(listed.councils))
    _successions(listed.councils, bodies, directory, run)
    types = {council.type for council in listed.councils}
    knows_ended = any(not council.is_current for council in listed.councils)
    expected = [
        one
        for one in directory.having(Scheme.LOCAL_AUTHORITY)
        if (listed.is_whole or one.council_type in types) and (knows_ended or not one.is_ended)
    ]
    directory.mark_listed({one.pk for one in bodies.values()}, expected, run)


def find_council(council: Council, directory: Directory) -> Organisation | None:
    """The body of a row by its key, else by its code, present or former."""
    return directory.holder(Scheme.LOCAL_AUTHORITY, council.key) or directory.holder(Scheme.GSS, council.gss)


def _check(listed: CouncilList, directory: Directory) -> None:
    problems: list[Problem] = []
    keys = {council.key for council in listed.councils}
    claimed: dict[int, Council] = {}
    for council in listed.councils:
        by_key = directory.holder(Scheme.LOCAL_AUTHORITY, council.key)
        by_code = directory.holder(Scheme.GSS, council.gss)
        if by_key and by_code and by_key.pk != by_code.pk:
            problems.append(
                Problem(
                    council.row,
                    "",
                    f"the key {council.key} is {by_key.name}, but the code {council.gss} is {by_code.name}.",
                    "Correct the key or the code.",
                )
            )
        for body in {one.pk: one for one in (by_key, by_code) if one}.values():
            other = claimed.setdefault(body.pk, council)
            if other is not council:
                problems.append(
                    Problem(
                        council.row,
                        "",
                        f"this row and row {other.row} are both {body.name} in the directory.",
                        "Correct the key or the code of one of the two.",
                    )
                )
        problems += [
            Problem(
                council.row,
                "replaced-by",
                f"“{successor}” is the key of no council in the file or the directory.",
                "Correct it, or add the successor's row.",
            )
            for successor in council.successors
            if successor not in keys and directory.holder(Scheme.LOCAL_AUTHORITY, successor) is None
        ]
    if problems:
        raise UnableToRead(problems)


def _areas(councils: tuple[Council, ...], directory: Directory) -> dict[str, Area]:
    """The area of each council by its key; regions first, then counties, then what they contain."""
    for code, name in REGION_NAMES.items():
        directory.area(code, name=name, kind=AreaKind.REGION)
    found: dict[str, Area] = {}
    counties: dict[str, Area] = {}
    for council in sorted(councils, key=lambda one: one.type != "CTY"):
        code = LONDON if council.type == "SRA" else council.gss
        if council.type == "SRA":
            found[council.key] = directory.areas[LONDON]
            continue
        fields: dict[str, Any] = {
            "name": council.short_name or council.name,
            "kind": _AREA_KINDS.get(council.type, AreaKind.DISTRICT),
        }
        if council.region:
            fields["region"] = directory.areas[council.region]
        if council.county in counties:
            fields["parent"] = counties[council.county]
        if council.ends_on and not council.is_current:
            fields["valid_to"] = council.ends_on
        area = directory.area(code, **fields)
        found[council.key] = area
        if council.type == "CTY":
            counties[council.key] = area
        for former in council.former_codes:
            directory.area(former, name=fields["name"], kind=fields["kind"])
    return found


def _fields(council: Council, directory: Directory) -> dict[str, Any]:
    """What the list says of the body; what it leaves blank is not touched."""
    fields: dict[str, Any] = {"name": council.name, "council_type": council.type}
    if council.short_name:
        fields["short_name"] = council.short_name[:120]
    if council.region:
        fields["region"] = directory.areas[council.region]
    if council.starts_on:
        fields["valid_from"] = council.starts_on
    if council.website:
        fields["website"] = council.website
    return fields


def _identifiers(council: Council, directory: Directory) -> list[tuple[str, str]]:
    wanted = [(Scheme.GSS, council.gss)] if council.gss != LONDON else []
    if council.key != council.gss:
        wanted.append((Scheme.LOCAL_AUTHORITY, council.key))
    wanted += [(Scheme.LOCAL_AUTHORITY_FORMER, code) for code in (council.old_code, *council.former_codes)]
    if council.entity:
        wanted.append((Scheme.PLANNING_DATA, council.entity))
    return [(str(scheme), value) for scheme, value in wanted if value]


def _body(council: Council, area: Area, directory: Directory, run: Import) -> Organisation:
    body = find_council(council, directory)
    identifiers = _identifiers(council, directory)
    names = alternative_names(*council.alternatives)
    if body is None:
        free = [pair for pair in identifiers if pair not in directory.holders]
        fields = _fields(council, directory)
        ended = not council.is_current
        body = create_organisation(
            kind=Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL,
            identifiers=free,
            names=names,
            author=run.author,
            now=run.now,
            status=Status.DISSOLVED if ended else Status.ACTIVE,
            valid_to=council.ends_on if ended else None,
            **fields,
        )
        directory.adopt(body, identifiers=free, names=[body.name, body.short_name, *council.alternatives])
        directory.serve(body, area, run, starts_on=council.starts_on, ends_on=body.valid_to)
        run.report.note("created", f"{body.name} ({council.key}){', ended' if ended else ''}")
        return body
    return _brought_up_to_date(body, council, area, directory, run)


def _brought_up_to_date(
    body: Organisation, council: Council, area: Area, directory: Directory, run: Import
) -> Organisation:
    fields = _fields(council, directory)
    names = alternative_names(*council.alternatives)
    if council.is_current:
        fields |= {"status": Status.ACTIVE if body.is_ended else body.status, "valid_to": None}
    elif body.is_ended and council.ends_on:
        fields["valid_to"] = council.ends_on
    said = directory.update(body, run, fields=fields, identifiers=_identifiers(council, directory), names=names)
    said += follow_code(body, area, directory, run, ends_on=council.ends_on if not council.is_current else None)
    if not council.is_current and not body.is_ended:
        dissolve(organisation=body, on=council.ends_on, author=run.author, now=run.now, reason=run.source)
        run.report.note("closed", f"{body.name} ({council.key})")
    elif said:
        run.report.note("changed", f"{body.name} ({council.key}): {'; '.join(said)}")
    else:
        run.report.note("left_alone")
    return body


def follow_code(
    body: Organisation, area: Area, directory: Directory, run: Import, *, ends_on: dt.date | None = None
) -> list[str]:
    """Let a council govern the area of its present code; where that is a new code for the same place, the old one ends.

    A list that still has a code known to have ended changes nothing.
    """
    if area.valid_to is not None and ends_on is None:
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


def _successions(
    councils: tuple[Council, ...], bodies: dict[str, Organisation], directory: Directory, run: Import
) -> None:
    """One event for each set of successors on a day: districts that became one council are merged, a county's two
    heirs split it.
    """
    events: dict[tuple[tuple[str, ...], dt.date | None], list[Organisation]] = {}
    starts = {council.key: council.starts_on for council in councils}
    for council in councils:
        if council.successors:
            events.setdefault((tuple(sorted(council.successors)), council.ends_on), []).append(bodies[council.key])
    kinds: Counter[str] = Counter()
    for (keys, on), predecessors in events.items():
        successors = [bodies.get(key) or directory.holder(Scheme.LOCAL_AUTHORITY, key) for key in keys]
        begun_before = len(keys) == 1 and on is not None and (starts.get(keys[0]) or on) < on
        kind = (
            SuccessionKind.SPLIT
            if len(keys) > 1
            else SuccessionKind.ABSORB
            if begun_before or len(predecessors) == 1
            else SuccessionKind.MERGE
        )
        record_succession(
            kind=kind,
            on=on,
            predecessors=predecessors,
            successors=[body for body in successors if body is not None],
            author=run.author,
            now=run.now,
            source=run.source[:200],
        )
        kinds[kind] += 1
    if kinds:
        said = ", ".join(f"{count} {SuccessionKind(kind).label.lower()}" for kind, count in sorted(kinds.items()))
        run.report.remark(f"Successions in the list: {said}.")
