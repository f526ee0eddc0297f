"""Sites of a plan, one a row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from partnerships.documents import key_for
from partnerships.organisations.models import Area, AreaKind
from partnerships.people.models import User
from partnerships.plans.content import CONFIDENCE, PLANNING_STATUSES, Item
from partnerships.plans.content import SITES as COLLECTION
from partnerships.spreadsheets.reading.cells import degrees, long_text, one_of, partial, postcode, yes_no
from partnerships.spreadsheets.reading.columns import SheetColumn, column, yes_or_no
from partnerships.spreadsheets.services.kinds.base import Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.plan_items import (
    Draftsman,
    Reader,
    content_to_export,
    given_by,
    given_key,
    may_import,
    remembered_for,
    revision_of,
)
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.values import Unreadable, text

_DATE = "A day, a month or a year: 11/04/2027, April 2027 or 2027."
COLUMNS = (
    column(
        "reference",
        "Reference",
        "site reference",
        "site ref",
        "ref",
        "site code",
        example="NQ1",
        hint="Your own reference. A row with a known reference changes that site.",
    ),
    column("name", "Name", "site name", "site", "scheme", "scheme name", required=True, example="North Quay"),
    column("address", "Address", "site address", "street", example="Quay Street, Fareham"),
    column("postcode", "Postcode", "post code", example="PO16 7GZ", hint="In full, or only its district: PO16."),
    column(
        "area",
        "Area",
        "district",
        "local authority",
        "gss code",
        example="E07000087",
        hint="The GSS code or the name of the district or county.",
    ),
    column("planning_authority", "Planning authority", "lpa", example="Westmarch Borough Council"),
    column("lat", "Latitude", "y", example="50.85"),
    column("lng", "Longitude", "long", "lon", "x", example="-1.18"),
    column("landowner", "Landowner", "land owner", "owner", example="Westmarch Borough Council"),
    column("lead", "Lead", "lead organisation", "developer", example="Larkhaven Homes"),
    column("planning_status", "Planning status", choices=PLANNING_STATUSES, example="Outline permission"),
    column(
        "planning_reference",
        "Planning reference",
        "planning ref",
        "planning application",
        "application reference",
        example="26/01234/FUL",
    ),
    column("grant_programme", "Grant programme", "programme", "grant", example="Strategic partnership"),
    column("forecast_start", "Forecast start", "start on site", "start", example="2027-04", hint=_DATE),
    column("actual_start", "Actual start", example="", hint=_DATE),
    column("forecast_completion", "Forecast completion", "completion", example="June 2028", hint=_DATE),
    column("actual_completion", "Actual completion", example="", hint=_DATE),
    column("confidence", "Confidence", choices=CONFIDENCE, example="High"),
    yes_or_no(
        "confidential", "Confidential", hint="Write yes if only the owners and partners may know that the site exists."
    ),
    column("notes", "Notes", "comments", hint="Only the owners and partners can see these."),
    column("key", "ID", "site id", hint="From a download of this plan. Leave it blank for a new site."),
)

_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "postcode": postcode,
        "lat": degrees,
        "lng": degrees,
        "planning_status": one_of(PLANNING_STATUSES),
        "confidence": one_of(CONFIDENCE),
        "forecast_start": partial,
        "actual_start": partial,
        "forecast_completion": partial,
        "actual_completion": partial,
        "confidential": yes_no,
        "notes": long_text,
    }
)


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    return COLUMNS


class _Areas:
    """Finds the GSS code of an area by its code or name."""

    def __init__(self) -> None:
        self._codes: dict[str, set[str]] = {}
        areas = Area.objects.filter(kind__in=[AreaKind.DISTRICT, AreaKind.COUNTY])
        for code, name, ended in areas.values_list("code", "name", "valid_to"):
            self._codes.setdefault(code.casefold(), set()).add(code)
            if ended is None:
                self._codes.setdefault(name.casefold(), set()).add(code)

    def code_of(self, said: str) -> str:
        """The code of one area; raises `Unreadable`."""
        codes = self._codes.get(said.casefold(), set())
        if len(codes) != 1:
            problem = "is the name of several areas" if codes else "is not a district or county"
            raise Unreadable(f"“{said}” {problem}. Write its GSS code, such as E07000087.")
        return next(iter(codes))


def _apply(run: Run) -> None:
    draft = Draftsman(run, COLLECTION, reference="reference")
    areas = _Areas()
    readers = {**_READERS, "area": lambda cell: areas.code_of(text(cell))}
    for line in run.lines():
        given = given_by(run, line, COLLECTION, COLUMNS, readers)
        key = _key_of(run, line, draft)
        if given is not None and key is not None:
            draft.put_once(line, key, given)
    draft.save(lambda site: str(site["name"]))


def _key_of(run: Run, line: Line, draft: Draftsman) -> str | None:
    """The key of the site that a row is about, new or known.

    None with a problem. By its id, then its reference. A name decides only where the row has neither, or the one site
    of that name has no other reference.
    """
    if line.text("key"):
        return given_key(run, line, COLLECTION.one)
    known, reference, name = draft.known, line.text("reference"), line.text("name")
    sites = known.by("reference", reference) if reference else known.by("name", name)
    if reference and not sites:
        sites = [site for site in known.by("name", name) if not site["reference"]]
    if len(sites) > 1:
        column_, which = ("reference", reference) if reference else ("name", name)
        run.refuse(line, column_, f"several sites are called “{which}”.", "Give the ID from a download of this plan.")
        return None
    return str(sites[0]["key"]) if sites else key_for(name or reference, draft.taken)


def _rows(target: Target, person: User) -> list[Exported]:
    content = content_to_export(target, person)
    return [_exported(site) for site in content["sites"]] if content else []


def _exported(site: Item) -> Exported:
    cells = {column.code: site[column.code] for column in COLUMNS}
    return {
        **cells,
        "planning_status": PLANNING_STATUSES.get(site["planning_status"], ""),
        "confidence": CONFIDENCE.get(site["confidence"], ""),
    }


SITES = SheetKind(
    code="sites",
    many="sites",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=may_import,
    remembered_for=remembered_for,
    revision=revision_of,
    lead="One row for each site. Homes have a spreadsheet of their own.",
)
