"""Create or update the organisation of a row."""

from __future__ import annotations

from typing import Any

from partnerships.organisations.models import (
    Area,
    Kind,
    Organisation,
    Scheme,
    Status,
)
from partnerships.organisations.services import create_organisation, dissolve
from partnerships.transfer.reading.councils import Council
from partnerships.transfer.services.councils.areas import LONDON, follow_code
from partnerships.transfer.services.directory import Directory, Import, alternative_names


def _fields(council: Council, directory: Directory, *, official: bool) -> dict[str, Any]:
    """The organisation's fields in the list.

    Blank fields are left out, and so is the name if the list names areas.
    """
    fields: dict[str, Any] = {"council_type": council.type}
    if official:
        fields["name"] = council.name
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
    if council.planning_area:
        wanted.append((Scheme.PLANNING_AREA, council.planning_area))
    return [(str(scheme), value) for scheme, value in wanted if value]


def keep_council(
    council: Council,
    organisation: Organisation | None,
    area: Area,
    directory: Directory,
    run: Import,
    *,
    official: bool,
    joined: bool,
) -> Organisation:
    """The row's organisation, created or updated.

    If `official`, the row has the organisation's own name; if `joined`, it was matched by name alone.
    """
    if organisation is not None:
        return _update(organisation, council, area, directory, run, official=official, joined=joined)
    free = [pair for pair in _identifiers(council, directory) if pair not in directory.holders]
    body = create_organisation(
        kind=Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL,
        identifiers=free,
        names=alternative_names(*council.alternatives),
        author=run.author,
        now=run.now,
        status=Status.ACTIVE if council.is_current else Status.DISSOLVED,
        valid_to=council.ends_on,
        **_fields(council, directory, official=True),
    )
    directory.adopt(body, identifiers=free, names=[body.name, body.short_name, *council.alternatives])
    directory.serve(body, area, run, starts_on=council.starts_on, ends_on=body.valid_to)
    run.report.count("created", f"{body.name} ({council.key}){'' if council.is_current else ', ended'}")
    return body


def _update(
    body: Organisation,
    council: Council,
    area: Area,
    directory: Directory,
    run: Import,
    *,
    official: bool,
    joined: bool,
) -> Organisation:
    """Bring a council of the directory up to date with its row, and count in the report what changed."""
    was = body.name
    fields = _fields(council, directory, official=official)
    names = alternative_names(*council.alternatives, *(() if official else (council.name,)))
    if council.is_current and body.is_ended:
        fields |= {"status": Status.ACTIVE, "valid_to": council.ends_on}
    elif council.ends_on and (council.is_current or body.is_ended):
        fields["valid_to"] = council.ends_on
    said = directory.update(body, run, fields=fields, identifiers=_identifiers(council, directory), names=names)
    said += follow_code(body, area, directory, run, ends_on=None if council.is_current else council.ends_on)
    if not council.is_current and not body.is_ended:
        dissolve(organisation=body, on=council.ends_on, author=run.author, now=run.now, reason=run.source)
        run.report.count("closed", f"{body.name} ({council.key})")
    elif joined:
        run.report.count("joined", f"{council.name} ({council.key}) is {was}: {'; '.join(said)}")
    elif said:
        run.report.count("changed", f"{body.name} ({council.key}): {'; '.join(said)}")
    else:
        run.report.count("left_alone")
    return body
