"""Spreadsheets of a plan's sites, in which each row is one site."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from partnerships.documents import key_for
from partnerships.organisations.models import Area, AreaKind
from partnerships.people.models import User
from partnerships.plans.content import CONFIDENCE, PLANNING_STATUSES, Item
from partnerships.plans.content import SITES as COLLECTION
from partnerships.spreadsheets.reading.cells import (
    choice_reader,
    degrees_text,
    long_text,
    partial_date_text,
    postcode,
    yes_no,
)
from partnerships.spreadsheets.reading.columns import SheetColumn, column, yes_or_no
from partnerships.spreadsheets.services.kinds.base import Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.plan_items import (
    DraftEditor,
    Reader,
    content_to_export,
    key_in_row,
    may_import,
    remembered_for,
    revision_of,
    row_values,
)
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import Unreadable, text

_DATE = "Enter a day, a month or a year: 11/04/2027, April 2027 or 2027."
COLUMNS = (
    column(
        "reference",
        "Reference",
        "site reference",
        "site ref",
        "ref",
        "site code",
        example="NQ1",
        hint="Enter your own reference. A row with the reference of a site in the plan changes that site.",
    ),
    column("name", "Name", "site name", "site", "scheme", "scheme name", required=True, example="North Quay"),
    column("address", "Address", "site address", "street", example="Quay Street, Fareham"),
    column(
        "postcode",
        "Postcode",
        "post code",
        example="PO16 7GZ",
        hint="Enter the whole postcode, or only its district: PO16.",
    ),
    column(
        "area",
        "Area",
        "district",
        "local authority",
        "gss code",
        example="E07000087",
        hint="Enter the GSS code or the name of the district or county.",
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
        "confidential", "Confidential", hint="Enter yes if only the owners and partners may know that the site exists."
    ),
    column("notes", "Notes", "comments", hint="Only the owners and partners can see these notes."),
    column("key", "ID", "site id", hint="Enter the ID from a download of this plan. Leave this blank for a new site."),
)

_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "postcode": postcode,
        "lat": degrees_text,
        "lng": degrees_text,
        "planning_status": choice_reader(PLANNING_STATUSES),
        "confidence": choice_reader(CONFIDENCE),
        "forecast_start": partial_date_text,
        "actual_start": partial_date_text,
        "forecast_completion": partial_date_text,
        "actual_completion": partial_date_text,
        "confidential": yes_no,
        "notes": long_text,
    }
)


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns, which are the same for every plan."""
    return COLUMNS


class _AreaCodes:
    """The GSS codes of districts and counties, which a cell names by code or by name."""

    def __init__(self) -> None:
        #: The GSS codes that a text may mean, by the text in lower case. A name may mean several areas. For example,
        #: {"e07000087": {"E07000087"}, "fareham": {"E07000087"}}.
        self._codes_by_text: dict[str, set[str]] = {}
        areas = Area.objects.filter(kind__in=[AreaKind.DISTRICT, AreaKind.COUNTY])
        for code, name, valid_to in areas.values_list("code", "name", "valid_to"):
            self._codes_by_text.setdefault(code.casefold(), set()).add(code)
            # An area that has ended is found only by its code, because a present area may have its name.
            if valid_to is None:
                self._codes_by_text.setdefault(name.casefold(), set()).add(code)

    def read(self, cell: Cell) -> str:
        """Return the GSS code of the area that a cell names. Raises `Unreadable`."""
        code_or_name = text(cell)
        codes = self._codes_by_text.get(code_or_name.casefold(), set())
        if len(codes) != 1:
            problem = "is the name of several areas" if codes else "is not a district or county"
            raise Unreadable(f"“{code_or_name}” {problem}. Enter its GSS code, for example E07000087.")
        [code] = codes
        return code


def _apply(run: ImportedRows) -> None:
    """Add or change a site of the draft for each row."""
    draft = DraftEditor(run, COLLECTION, reference="reference")
    readers: dict[str, Reader] = {**_READERS, "area": _AreaCodes().read}
    for line in run.lines():
        values = row_values(run, line, COLLECTION, COLUMNS, readers)
        key = _key(run, line, draft)
        if values is not None and key is not None:
            draft.put_once(line, key, values)
    draft.save(lambda site: str(site["name"]))


def _key(run: ImportedRows, line: Line, draft: DraftEditor) -> str | None:
    """Return the key of the site that the row changes or adds, or None if the row is refused.

    The site is found by its ID, or else by its reference. It is found by its name if the row has neither, or if the
    only site with that name has no reference yet.
    """
    if line.text("key"):
        return key_in_row(run, line, COLLECTION.singular)
    reference, name = line.text("reference"), line.text("name")
    sites = draft.items.by("reference", reference) if reference else draft.items.by("name", name)
    if reference and not sites:
        sites = [site for site in draft.items.by("name", name) if not site["reference"]]
    if len(sites) > 1:
        column_code, shared = ("reference", reference) if reference else ("name", name)
        remedy = "Enter the ID from a download of this plan."
        run.refuse(line, column_code, f"several sites are called “{shared}”.", remedy)
        return None
    return str(sites[0]["key"]) if sites else key_for(name or reference, draft.keys)


def _rows(target: Target, person: User) -> list[Exported]:
    """Return the sites of the plan that the person may read."""
    content = content_to_export(target, person)
    return [_row_of_export(site) for site in content["sites"]] if content else []


def _row_of_export(site: Item) -> Exported:
    """Return a site as a row of the export, with labels instead of codes."""
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
    lead="Use one row for each site. Homes have a spreadsheet of their own.",
)
