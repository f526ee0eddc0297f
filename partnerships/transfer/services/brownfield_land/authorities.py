"""Find the authority of each row of a register of brownfield land."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, Kind, Organisation, OrganisationName, Scheme
from partnerships.transfer.reading.brownfield_land import Site
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import RunningImport

_KINDS = (Kind.COUNCIL, Kind.NATIONAL_PARK, Kind.DEVELOPMENT_CORPORATION)
_REMEDY = "Enter the council’s planning.data.gov.uk address, or choose the council when you upload the file."


def sites_by_council(
    sites: Sequence[Site], council: Organisation | None, run: RunningImport
) -> dict[Organisation, list[Site]]:
    """Return the sites of each council, and set rows of unknown authorities aside.

    Rows without an authority belong to `council`. If `council` is given, rows of other councils are set aside too.
    Raises `UnableToRead` if no row belongs to a council. If the import refuses files with bad rows, a single such row
    raises it too.
    """
    authority_by_cell = {cell: _find_authority(cell) for cell in {site.organisation for site in sites}}
    sites_of_councils: dict[Organisation, list[Site]] = defaultdict(list)
    problems: list[Problem] = []
    for site in sites:
        authority = authority_by_cell[site.organisation] if site.organisation else council
        is_of_other_council = council is not None and authority != council
        if authority is None or is_of_other_council:
            problems.append(_authority_problem(site, authority, council))
        else:
            sites_of_councils[authority].append(site)

    if problems and (not sites_of_councils or not run.sets_bad_rows_aside):
        raise UnableToRead(problems)
    for problem in problems:
        run.set_aside(run.list_file.row_set_aside([problem]))
    return sites_of_councils


def _authority_problem(site: Site, authority: Organisation | None, council: Organisation | None) -> Problem:
    """Return why a site cannot be imported, and what to do.

    Its authority is blank or unknown, or the file belongs to another council.
    """
    column = "OrganisationURI"
    if not site.organisation:
        return Problem(site.row, column, "the cell is blank.", _REMEDY)
    if authority is None:
        remedy = _REMEDY
        if council is not None:
            remedy = f"Correct the authority, or leave the cell blank if the site is {council.name}’s."
        return Problem(site.row, column, f"“{site.organisation}” is not an authority in the directory.", remedy)
    file_owner = council.name if council is not None else ""
    return Problem(
        site.row,
        column,
        f"the site is {authority.name}’s, but the file is {file_owner}’s.",
        f"Move the row to {authority.name}’s file.",
    )


def _find_authority(cell: str) -> Organisation | None:
    """Return the authority that a cell names. None if no authority or more than one matches.

    Councils write the authority in different ways: `local-authority:ADU`, `district-council/adur`, `entity/28`, a URL
    that ends in one of these, or a name.
    """
    last_part = re.split(r"[/#]", cell.rstrip("/"))[-1]
    prefix, _, key = last_part.rpartition(":")
    identifiers = Identifier.objects.filter(
        scheme__in=[Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA, Scheme.GSS],
        value__in=[key.upper(), f"{prefix}:{key}", cell, last_part],
        organisation__kind__in=_KINDS,
    )
    authorities = {identifier.organisation for identifier in identifiers.select_related("organisation")}
    if not authorities and not prefix:
        folded = fold_name(last_part.replace("-", " "))
        names = OrganisationName.objects.filter(folded=folded, organisation__kind__in=_KINDS)
        authorities = {name.organisation for name in names.select_related("organisation")}
    return authorities.pop() if len(authorities) == 1 else None
