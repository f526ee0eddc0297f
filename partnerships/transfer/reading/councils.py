"""Read lists of councils and combined authorities.

The lists come from mySociety, the planning data platform, and the ONS (names and codes only).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from partnerships.kit.names import fold_name
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, find_table
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.other_bodies import OtherBody, other_kind
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import code, partial_date, yes_or_no_value

GSS = re.compile(r"[A-Z]\d{8}")
#: GSS codes of English regions (ONS), by the names used in lists.
REGIONS = {
    "North East": "E12000001",
    "North West": "E12000002",
    "Yorkshire and The Humber": "E12000003",
    "East Midlands": "E12000004",
    "West Midlands": "E12000005",
    "East of England": "E12000006",
    "London": "E12000007",
    "South East": "E12000008",
    "South West": "E12000009",
}
_OTHER_REGION_NAMES = {
    "yorkshire and humber": "yorkshire and the humber",
    "east": "east of england",
    "eastern": "east of england",
    "greater london": "london",
}
REGION_NAMES = {gss: name for name, gss in REGIONS.items()}
#: Council type by the first three characters of its GSS code (ONS), for lists without a type column.
TYPE_OF_PREFIX = {"E06": "UA", "E07": "NMD", "E08": "MD", "E09": "LBO", "E10": "CTY", "E47": "COMB", "E61": "SRA"}
_TYPE_BY_CODE = {"E09000001": "CC", "E12000007": "SRA"}
#: The remedy for a row that is not a council.
TAKE_OTHERS = "Remove the row, or import the list with “Also import bodies that are not councils” (--take-others)."
#: Excel turns the years 1950 to 2040, typed into a date cell, into days of this period.
_YEARS_TYPED_AS_DAYS = (dt.date(1905, 5, 1), dt.date(1905, 7, 31))
TYPES = ("UA", "MD", "NMD", "LBO", "CTY", "CC", "COMB", "SRA")
_TYPE_WORDS = {
    "unitaryauthority": "UA",
    "unitary": "UA",
    "metropolitandistrict": "MD",
    "metropolitanborough": "MD",
    "nonmetropolitandistrict": "NMD",
    "district": "NMD",
    "londonborough": "LBO",
    "county": "CTY",
    "countycouncil": "CTY",
    "citycorporation": "CC",
    "combinedauthority": "COMB",
    "combinedcountyauthority": "COMB",
    "strategicregionalauthority": "SRA",
}

COLUMNS = (
    Column(
        "key",
        ("localauthoritycode", "localauthorityeng", "lacode", "threelettercode", "reference"),
        "local-authority-code",
        values=r"[A-Z]{3,4}",
    ),
    Column(
        "official",
        (
            "officialname",
            r"lad\d\dnm",
            r"cty\d\dnm",
            r"cauth\d\dnm",
            "areanm",
            "name",
            "laname",
            "councilname",
            "localauthorityname",
        ),
        "official-name",
        required=True,
    ),
    Column("nice", ("nicename", "shortname"), "nice-name"),
    Column(
        "gss",
        ("gsscode", "gss", r"lad\d\dcd", r"cty\d\dcd", r"cauth\d\dcd", "areacd", "statisticalgeography", "onscode"),
        "gss-code",
        required=True,
        values=r"[EWSN]\d{8}",
    ),
    Column("start", ("startdate", "start"), "start-date"),
    Column("end", ("enddate", "end"), "end-date"),
    Column("replaced_by", ("replacedby", "successor", "successors"), "replaced-by"),
    Column("nation", ("nation", "country"), "nation"),
    Column("region", ("region", r"rgn\d\dnm", r"rgn\d\dcd", "regionname"), "region"),
    Column("type", ("localauthoritytype", "latype", "counciltype", "type"), "local-authority-type"),
    Column("county", ("countyla", "countycouncil"), "county-la"),
    Column("alternatives", ("altnames", "alternativenames", "othernames"), "alt-names"),
    Column("former_codes", ("formergsscodes", "formergss"), "former-gss-codes"),
    Column("current", ("currentauthority", "current", "iscurrent"), "current-authority"),
    Column("old_code", ("oldonslacode", "snac", "snaccode"), "old-ons-la-code"),
    Column("website", ("website", "url"), "website"),
    Column("organisation", ("organisation", "curie"), "organisation"),
    Column("planning_area", ("localplanningauthority",), "local-planning-authority"),
    Column("entity", ("entity",), "entity"),
    Column("entry", ("entrydate",), "entry-date"),
)


_DATE_FIELDS = ("starts_on", "ends_on")
_TUPLE_FIELDS = ("successors", "alternatives", "former_codes")


@dataclass(frozen=True, slots=True)
class Council:
    """A council or combined authority in England, from a row of a list.

    It ends on the day before `ends_on`: the dates are half-open.
    """

    row: int
    key: str
    name: str
    short_name: str
    gss: str
    type: str
    region: str
    starts_on: dt.date | None
    ends_on: dt.date | None
    is_current: bool
    successors: tuple[str, ...]
    county: str
    alternatives: tuple[str, ...]
    former_codes: tuple[str, ...]
    old_code: str
    website: str
    entity: str
    #: The code of the council's area as a local planning authority (`E60…`).
    planning_area: str = ""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Council:
        """Return the council that `as_json` turned into JSON."""
        dates = {name: dt.date.fromisoformat(fields[name]) if fields[name] else None for name in _DATE_FIELDS}
        tuples = {name: tuple(fields[name]) for name in _TUPLE_FIELDS}
        return cls(**{**fields, **dates, **tuples})

    def as_json(self) -> dict[str, Any]:
        """Return the council's fields as JSON values, for a row to review."""
        fields = asdict(self)
        dates = {name: fields[name].isoformat() if fields[name] else None for name in _DATE_FIELDS}
        return fields | dates | {name: list(fields[name]) for name in _TUPLE_FIELDS}

    @property
    def is_combined(self) -> bool:
        """Return True if this is a combined or strategic authority."""
        return self.type in ("COMB", "SRA")


@dataclass(frozen=True, slots=True)
class CouncilList:
    """The English councils of a list, and the file with its rows set aside."""

    councils: tuple[Council, ...]
    #: The number of rows of other nations, which are skipped.
    elsewhere: int
    #: Whether the list has keys, and so contains every council by its own name. The ONS's lists have none: each
    #: contains one kind of area, by the names of the areas.
    has_keys: bool
    list_file: ListFile
    #: Bodies that are not councils, if they are to be imported.
    others: tuple[OtherBody, ...] = ()


def read_councils(
    sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN, *, take_others: bool = False
) -> CouncilList:
    """Return the English councils of a list.

    Rows with problems are set aside, and so are bodies that are not councils, unless `take_others`. Raises
    `UnableToRead` if the file is not a list of English councils.
    """
    table = find_table(sheets, COLUMNS, "a list of councils", known_headings)
    collector = Collector(table)
    row_by_key: dict[str, int] = {}
    row_by_gss: dict[str, int] = {}
    councils: list[Council] = []
    elsewhere = 0
    other_bodies: list[OtherBody] = []
    entry_dates: list[dt.date] = []
    for line in table:
        if not _is_english(line):
            elsewhere += 1
            continue
        if other := _other_body(line):
            body, description = other
            if take_others:
                other_bodies.append(body)
            else:
                collector.leave_out(line, "official", f"“{body.name}” is {description}, not a council.", TAKE_OTHERS)
            continue
        if entry_date := collector.day(line, "entry"):
            entry_dates.append(entry_date)
        councils.append(_council(line, collector, row_by_key, row_by_gss, has_key=table.has("key")))
    if not councils and not other_bodies:
        raise UnableToRead(
            [Problem(None, "", "the list has no English council.", "Use the list for England or the United Kingdom.")]
        )
    list_file = collector.list_file()
    list_file = replace(list_file, true_on=list_file.true_on or max(entry_dates, default=None), outside=elsewhere)
    usable = tuple(council for council in _with_half_open_ends(councils) if council.row not in collector.bad_rows)
    return CouncilList(
        councils=usable, elsewhere=elsewhere, has_keys=table.has("key"), list_file=list_file, others=tuple(other_bodies)
    )


def _other_body(line: Line) -> tuple[OtherBody, str] | None:
    """Return the row's body and its description, such as “a fire and rescue authority”, or None for a council."""
    gss, name, curie = code(line["gss"]), line.text("official"), line.text("organisation")
    kind_and_description = other_kind(curie=curie, given_type=line.text("type"), gss=gss, name=name)
    if kind_and_description is None or not name:
        return None
    kind, description = kind_and_description
    body = OtherBody(
        row=line.number,
        kind=kind,
        name=name,
        gss=gss if GSS.fullmatch(gss) else "",
        curie=curie if ":" in curie else "",
        website=_website(line),
        planning_area=_planning_area(line),
    )
    return body, description


def _website(line: Line) -> str:
    website = line.text("website")
    return website[:500] if website.startswith("http") else ""


def _codes(line: Line, column: str) -> list[str]:
    """Return the codes in a cell, which commas or semicolons separate."""
    return [code(part) for part in re.split("[,;]", line.text(column)) if part.strip()]


def _planning_area(line: Line) -> str:
    """Return the GSS code of the planning authority's area, or "" if the cell has none."""
    area = code(line["planning_area"])
    return area if GSS.fullmatch(area) else ""


def _is_english(line: Line) -> bool:
    """Return whether the row is of England, according to its nation or, without that, its GSS code."""
    nation = line.text("nation").casefold()
    if nation:
        return nation == "england"
    gss = code(line["gss"])
    return not GSS.fullmatch(gss) or gss.startswith("E")


def _council(
    line: Line, collector: Collector, row_by_key: dict[str, int], row_by_gss: dict[str, int], *, has_key: bool
) -> Council:
    """Return the council in a row. The collector gets its problems, and the caller leaves out rows with problems."""
    key = collector.key(line, "key", row_by_key) if has_key else ""
    gss = collector.key(line, "gss", row_by_gss)
    if gss and not GSS.fullmatch(gss):
        collector.add_problem(
            line, "gss", f"“{gss}” is not a GSS code.", "Enter a letter and eight digits, for example E07000223."
        )
    name = collector.required(line, "official")
    starts_on, ends_on = _start(line, collector), collector.day(line, "end")
    if starts_on and ends_on and ends_on < starts_on:
        collector.add_problem(
            line, "end", f"the council ends on {ends_on}, before it starts on {starts_on}.", "Correct one of the dates."
        )
    return Council(
        row=line.number,
        key=key or gss,
        name=name,
        short_name=line.text("nice"),
        gss=gss,
        type=_type(line, gss, collector),
        region=_region(line, collector),
        starts_on=starts_on,
        ends_on=ends_on,
        is_current=_is_current(line, collector),
        successors=tuple(_codes(line, "replaced_by")),
        county=code(line["county"]),
        alternatives=_alternatives(line),
        former_codes=tuple(former for former in _codes(line, "former_codes") if GSS.fullmatch(former)),
        old_code=code(line["old_code"]),
        website=_website(line),
        entity=code(line["entity"]),
        planning_area=_planning_area(line),
    )


def _start(line: Line, collector: Collector) -> dt.date | None:
    """Return the start date, or None if the cell has only a year or month, or a year that Excel misread.

    A year typed into Excel becomes a day in the early summer of 1905: 1996 is the 1,996th day since 1900.
    """
    date = collector.read(line, "start", partial_date)
    if date is None or date.precision != "day":
        return None
    first, last = _YEARS_TYPED_AS_DAYS
    return None if first <= date.earliest <= last else date.earliest


def _type(line: Line, gss: str, collector: Collector) -> str:
    """Return the type of council, read from its own column or, if that is blank, from the GSS code."""
    cell = line.text("type")
    if cell:
        plain = re.sub(r"[^a-z]", "", cell.casefold())
        council_type = cell.upper() if cell.upper() in TYPES else _TYPE_WORDS.get(plain, "")
        if not council_type:
            remedy = f"Enter one of {', '.join(TYPES)}."
            collector.add_problem(line, "type", f"“{cell}” is not a type of council.", remedy)
        return council_type

    council_type = _TYPE_BY_CODE.get(gss) or TYPE_OF_PREFIX.get(gss[:3], "")
    if gss and not council_type:
        fault = f"“{gss}” is not the code of an English council or combined authority."
        collector.add_problem(line, "gss", fault, "Correct the code, or remove the row.")
    return council_type


def _region(line: Line, collector: Collector) -> str:
    """Return the GSS code of the region, which lists give by code or by name, or "" if blank or unknown."""
    cell = line.text("region").rpartition(":")[2]
    if not cell or cell.upper() in REGION_NAMES:
        return cell.upper()
    folded = _OTHER_REGION_NAMES.get(fold_name(cell), fold_name(cell))
    for region, gss in REGIONS.items():
        if fold_name(region) == folded:
            return gss
    collector.add_problem(
        line,
        "region",
        f"“{cell}” is not a region of England.",
        f"Enter one of {', '.join(REGIONS)}, or leave it blank.",
    )
    return ""


def _is_current(line: Line, collector: Collector) -> bool:
    """Return whether the council still exists. If the list does not say, it does unless it has an end date."""
    cell = line.text("current")
    if not cell:
        return not line.text("end")
    value = yes_or_no_value(line["current"])
    if value is None:
        collector.add_problem(line, "current", f"“{cell}” is neither True nor False.", "Enter True or False.")
    return bool(value)


def _alternatives(line: Line) -> tuple[str, ...]:
    """Return the alternative names, without those that differ only in case.

    Commas separate names. "Bristol, City of" is one name in reverse: it becomes "Bristol" and "City of Bristol".
    """
    folded_names = {line.text("official").casefold(), line.text("nice").casefold(), ""}
    alternatives, previous_name = [], ""
    for part in line.text("alternatives").split(","):
        name = " ".join(part.split())[:300]
        if name.casefold().endswith(" of"):
            name = f"{name} {previous_name}"[:300] if previous_name else ""
        previous_name = name
        if name.casefold() not in folded_names:
            folded_names.add(name.casefold())
            alternatives.append(name)
    return tuple(alternatives)


def _with_half_open_ends(councils: list[Council]) -> tuple[Council, ...]:
    """Return the councils with half-open end dates: each the day after the council's last day.

    Lists mix two conventions: the council's last day (the ONS: 31 March) and the day on which its successor started
    (1 April). The start of the successor shows which of them a date follows. Without a successor, the first of a month
    counts as the day after, and any other day as the last.
    """
    start_by_key = {council.key: council.starts_on for council in councils}
    with_half_open_ends = []
    for council in councils:
        ends_on = council.ends_on
        if ends_on is not None:
            successor_starts = {start_by_key.get(key) for key in council.successors}
            next_day = ends_on + dt.timedelta(days=1)
            if ends_on not in successor_starts and (next_day in successor_starts or ends_on.day != 1):
                ends_on = next_day
        with_half_open_ends.append(replace(council, ends_on=ends_on))
    return tuple(with_half_open_ends)
