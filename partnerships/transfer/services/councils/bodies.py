"""Create or update the organisation of a council's row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from partnerships.organisations.models import Area, Kind, Organisation, Scheme, Status
from partnerships.organisations.services import create_organisation, dissolve
from partnerships.transfer.reading.councils import Council
from partnerships.transfer.services.councils.areas import LONDON, update_area_of_code
from partnerships.transfer.services.directory import Directory, RunningImport, alternative_names


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedCouncil:
    """A row of the list, and the organisation that it matches, or None if the council is new."""

    council: Council
    organisation: Organisation | None
    #: Whether the row has the council's own name, rather than the name of the council's area.
    has_official_name: bool
    #: Whether only the name matched, and neither the key nor the code.
    is_matched_by_name: bool


def save_council(matched: MatchedCouncil, area: Area, directory: Directory, run: RunningImport) -> Organisation:
    """Create or update the organisation of a row, and count the outcome in the report."""
    if matched.organisation is None:
        return _create(matched.council, area, directory, run)
    _update(matched.organisation, matched, area, directory, run)
    return matched.organisation


def _create(council: Council, area: Area, directory: Directory, run: RunningImport) -> Organisation:
    """Create the organisation, without identifiers that another organisation has."""
    free_identifiers = [pair for pair in _identifiers(council) if pair not in directory.holders]
    organisation = create_organisation(
        kind=Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL,
        identifiers=free_identifiers,
        names=alternative_names(*council.alternatives),
        author=run.author,
        now=run.now,
        status=Status.ACTIVE if council.is_current else Status.DISSOLVED,
        valid_to=council.ends_on,
        **_fields(council, directory, has_official_name=True),
    )
    directory.remember(
        organisation,
        identifiers=free_identifiers,
        names=[organisation.name, organisation.short_name, *council.alternatives],
    )
    directory.serve(organisation, area, run, starts_on=council.starts_on, ends_on=organisation.valid_to)
    run.report.count("created", f"{organisation.name} ({council.key}){'' if council.is_current else ', ended'}")
    return organisation


def _update(
    organisation: Organisation, matched: MatchedCouncil, area: Area, directory: Directory, run: RunningImport
) -> None:
    """Update the organisation. If it ended since the last list, dissolve it; if it is current again, revive it."""
    council = matched.council
    former_name = organisation.name
    fields = _fields(council, directory, has_official_name=matched.has_official_name)
    if council.is_current and organisation.is_ended:
        fields |= {"status": Status.ACTIVE, "valid_to": council.ends_on}
    elif council.ends_on and (council.is_current or organisation.is_ended):
        fields["valid_to"] = council.ends_on

    other_names = council.alternatives if matched.has_official_name else (*council.alternatives, council.name)
    changes = directory.update(
        organisation,
        run,
        fields=fields,
        identifiers=_identifiers(council),
        names=alternative_names(*other_names),
    )
    changes += update_area_of_code(
        organisation, area, directory, run, ends_on=None if council.is_current else council.ends_on
    )

    if not council.is_current and not organisation.is_ended:
        dissolve(organisation=organisation, on=council.ends_on, author=run.author, now=run.now, reason=run.source)
        run.report.count("closed", f"{organisation.name} ({council.key})")
    elif matched.is_matched_by_name:
        run.report.count("joined", f"{council.name} ({council.key}) is {former_name}: {'; '.join(changes)}")
    elif changes:
        run.report.count("changed", f"{organisation.name} ({council.key}): {'; '.join(changes)}")
    else:
        run.report.count("left_alone")


def _fields(council: Council, directory: Directory, *, has_official_name: bool) -> dict[str, Any]:
    """Return the organisation's fields for which the row has a value."""
    fields: dict[str, Any] = {"council_type": council.type}
    if has_official_name:
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


def _identifiers(council: Council) -> list[tuple[str, str]]:
    """Return the scheme and value of each identifier in the row."""
    schemes_and_values = [
        (Scheme.GSS, council.gss if council.gss != LONDON else ""),
        # Lists without keys have the GSS code in place of the key.
        (Scheme.LOCAL_AUTHORITY, council.key if council.key != council.gss else ""),
        *((Scheme.LOCAL_AUTHORITY_FORMER, code) for code in (council.old_code, *council.former_codes)),
        (Scheme.PLANNING_DATA, council.entity),
        (Scheme.PLANNING_AREA, council.planning_area),
    ]
    return [(str(scheme), value) for scheme, value in schemes_and_values if value]
