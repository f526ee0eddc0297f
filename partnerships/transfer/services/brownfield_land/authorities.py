"""Whose sites the rows of a register of brownfield land are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, Kind, Organisation, OrganisationName, Scheme
from partnerships.transfer.reading.brownfield_land import Site
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import Import

_KINDS = (Kind.COUNCIL, Kind.NATIONAL_PARK, Kind.DEVELOPMENT_CORPORATION)
_REMEDY = "Enter the council's planning.data.gov.uk address, or choose the council when you upload the file."


def sites_by_council(
    sites: Sequence[Site], council: Organisation | None, run: Import
) -> dict[Organisation, list[Site]]:
    """The sites of each council; rows of unknown ones are set aside.

    With `council`, rows of others are set aside too. Raises `UnableToRead` if no row is anybody's.
    """
    known = {written: _named(written) for written in {site.organisation for site in sites}}
    council_sites: dict[Organisation, list[Site]] = defaultdict(list)
    problems: list[Problem] = []
    for site in sites:
        body = known[site.organisation] if site.organisation else council
        if body is not None and (council is None or body == council):
            council_sites[body].append(site)
        elif not site.organisation:
            problems.append(Problem(site.row, "OrganisationURI", "the cell is blank.", _REMEDY))
        elif body is None:
            words = f"“{site.organisation}” is not an authority in the directory."
            remedy = f"Correct it, or leave the cell blank if the site is {council.name}'s." if council else _REMEDY
            problems.append(Problem(site.row, "OrganisationURI", words, remedy))
        else:
            words = f"the site is {body.name}'s, and the file is {council.name if council else ''}'s."
            problems.append(Problem(site.row, "OrganisationURI", words, "Put it into that council's file."))
    if problems and (not council_sites or not run.rows_stand_alone):
        raise UnableToRead(problems)
    for problem in problems:
        run.set_aside(run.list_file.row_set_aside([problem]))
    return council_sites


def _named(written: str) -> Organisation | None:
    """The authority that a cell names, or None.

    A cell holds an address that ends in `local-authority:ADU`, `district-council/adur` or `entity/28`, only that end,
    or a name.
    """
    last = re.split(r"[/#]", written.rstrip("/"))[-1]
    prefix, _, key = last.rpartition(":")
    curie = f"{prefix}:{key}"
    identifiers = Identifier.objects.filter(scheme__in=[Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA, Scheme.GSS])
    bodies = {
        row.organisation
        for row in identifiers.filter(value__in=[key.upper(), curie, written, last]).select_related("organisation")
        if row.organisation.kind in _KINDS
    }
    if not bodies and not prefix:
        words = fold_name(last.replace("-", " "))
        names = OrganisationName.objects.filter(folded=words, organisation__kind__in=_KINDS)
        bodies = {name.organisation for name in names.select_related("organisation")}
    return bodies.pop() if len(bodies) == 1 else None
