"""Read registers of brownfield land, by the standard of 16 April 2017."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, find_table
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.standard_cells import cells_by_field
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import amount

COLUMNS = (
    Column("reference", ("sitereference", "reference"), "SiteReference", required=True),
    Column(
        "name", ("sitenameaddress", "nameaddress", "siteaddress", "name", "address"), "SiteNameAddress", required=True
    ),
    Column("organisation", ("organisationuri", "organisation"), "OrganisationURI"),
    Column("x", ("geox", "longitude", "lng", "easting"), "GeoX", required=True),
    Column("y", ("geoy", "latitude", "lat", "northing"), "GeoY", required=True),
    Column("plan_url", ("siteplanurl",), "SiteplanURL"),
    Column("hectares", ("hectares", "area"), "Hectares"),
    Column("ownership", ("ownershipstatus", "ownership"), "OwnershipStatus"),
    Column("status", ("planningstatus",), "PlanningStatus"),
    Column("permission", ("permissiontype", "planningpermissiontype"), "PermissionType"),
    Column("permitted", ("permissiondate", "planningpermissiondate"), "PermissionDate"),
    Column("history", ("planninghistory", "planningpermissionhistory"), "PlanningHistory"),
    Column("deliverable", ("deliverable",), "Deliverable"),
    Column("least", ("netdwellingsrangefrom", "minimumnetdwellings"), "NetDwellingsRangeFrom"),
    Column("most", ("netdwellingsrangeto", "maximumnetdwellings"), "NetDwellingsRangeTo"),
    Column("hazardous", ("hazardoussubstances",), "HazardousSubstances"),
    Column("notes", ("notes", "note"), "Notes"),
    Column("added", ("firstaddeddate", "startdate"), "FirstAddedDate"),
    Column("updated", ("lastupdateddate", "entrydate"), "LastUpdatedDate"),
    Column("ended", ("enddate",), "EndDate"),
)
#: The largest number of homes on one site. A larger number is a typing error.
_MAX_HOMES = 100_000
#: The bounds of England in degrees of longitude and latitude.
_WEST, _EAST, _SOUTH, _NORTH = -9, 3, 49, 62
#: The bounds of England on the Ordnance Survey's grid, in metres.
_MAX_EASTING, _MAX_NORTHING = 700_000, 1_300_000


@dataclass(frozen=True, slots=True)
class Site:
    """A site of a register. `organisation` is the text of the file, not yet matched."""

    row: int
    reference: str
    name: str
    organisation: str
    #: Longitude and latitude, or None if the file has grid references.
    point: tuple[Decimal, Decimal] | None
    ownership: str
    status: str
    permission: str
    #: The minimum number of homes, or the maximum if the file has only that.
    homes: int | None
    ended: dt.date | None
    cells: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BrownfieldLand:
    """The sites of a file, the file with its rows set aside, and the latest date in its rows."""

    sites: tuple[Site, ...]
    list_file: ListFile
    written_on: dt.date | None
    #: References in rows that were set aside; "" stands for a row without a reference.
    gaps: frozenset[str]


def read_brownfield_land(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> BrownfieldLand:
    """Return the sites of a register. Rows with problems are set aside.

    Raises `UnableToRead` if the file is not a register of brownfield land.
    """
    table = find_table(sheets, COLUMNS, "a register of brownfield land", known_headings)
    collector = Collector(table)
    row_of_site: dict[str, int] = {}
    sites: list[Site] = []
    updated_on: list[dt.date] = []
    for line in table:
        reference = collector.required(line, "reference")
        if reference:
            _refuse_repeated(line, reference, row_of_site, collector)
        homes = _homes(line, collector)
        _check_unused_cells(line, collector)
        updated = collector.partial(line, "updated")
        sites.append(_site(line, reference, homes, collector))
        if updated and line.number not in collector.bad_rows:
            updated_on.append(updated.earliest)

    bad_rows = collector.bad_rows
    return BrownfieldLand(
        sites=tuple(site for site in sites if site.row not in bad_rows),
        list_file=collector.list_file(),
        written_on=max(updated_on, default=None),
        gaps=frozenset(site.reference for site in sites if site.row in bad_rows),
    )


def _site(line: Line, reference: str, homes: int | None, collector: Collector) -> Site:
    """Return the site in a row. The collector gets its problems, and the caller leaves out rows with problems."""
    name = collector.required(line, "name")
    point = _point_of(line, collector)
    ended = collector.partial(line, "ended")
    return Site(
        row=line.number,
        reference=reference,
        name=name,
        organisation=line.text("organisation"),
        point=point,
        ownership=line.text("ownership"),
        status=line.text("status").casefold(),
        permission=line.text("permission").casefold(),
        homes=homes,
        ended=ended.latest if ended else None,
        cells=cells_by_field(line, "brownfield-land", COLUMNS),
    )


def _homes(line: Line, collector: Collector) -> int | None:
    """Return the minimum number of homes in a row, or the maximum if the row has only that."""
    least, most = _homes_of(line, "least", collector), _homes_of(line, "most", collector)
    if least is not None and most is not None and least > most:
        collector.add_problem(line, "most", f"{most} is less than {least}.", "Correct one of the two.")
    return least if least is not None else most


def _check_unused_cells(line: Line, collector: Collector) -> None:
    """Add problems for an area or dates that are not valid. No plan has them, but public files publish the row."""
    hectares = collector.read(line, "hectares", amount)
    if hectares is not None and hectares < 0:
        collector.add_problem(
            line, "hectares", f"“{line.text('hectares')}” is negative.", "Enter hectares, for example 1.25."
        )
    for column in ("permitted", "added"):
        collector.partial(line, column)


def _refuse_repeated(line: Line, reference: str, row_of_site: dict[str, int], collector: Collector) -> None:
    """Add a problem to both rows if an earlier row has the same site, because either may be the right one."""
    site = f"{line.text('organisation')} {reference}"
    first_row = row_of_site.setdefault(site, line.number)
    if first_row == line.number:
        return
    for number in (first_row, line.number):
        same_site = next(same_line for same_line in collector.table if same_line.number == number)
        collector.add_problem(
            same_site,
            "reference",
            f"“{reference}” is in rows {first_row} and {line.number}, with different values.",
            "Give each site its own reference, or remove one of the two rows.",
        )


def _homes_of(line: Line, column: str, collector: Collector) -> int | None:
    """Return the whole number in a column of homes, or None if the cell is empty or has a problem."""
    homes = collector.read(line, column, amount)
    if homes is None:
        return None
    if homes != int(homes) or not 0 <= homes <= _MAX_HOMES:
        collector.add_problem(
            line, column, f"“{line.text(column)}” is not a number of homes.", "Enter a whole number, for example 12."
        )
        return None
    return int(homes)


def _point_of(line: Line, collector: Collector) -> tuple[Decimal, Decimal] | None:
    """Return the longitude and latitude, or None if the cells have a grid reference or a problem."""
    x, y = collector.read(line, "x", amount), collector.read(line, "y", amount)
    if x is None or y is None:
        if not (line.text("x") and line.text("y")):
            collector.add_problem(
                line, "x", "the location is missing.", "Enter longitude and latitude, for example -1.18 and 50.85."
            )
        return None
    if _WEST < x < _EAST and _SOUTH < y < _NORTH:
        return x, y
    is_grid_reference = 1_000 < x <= _MAX_EASTING and 1_000 < y <= _MAX_NORTHING
    if not is_grid_reference:
        collector.add_problem(
            line,
            "x",
            f"{x}, {y} is not a place in England.",
            "Enter longitude and latitude, for example -1.18 and 50.85.",
        )
    return None
