"""Lists of councils and combined authorities.

Reads mySociety's, the planning data platform's, and the ONS's lists of names and codes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from partnerships.kit.names import fold_name
from partnerships.transfer.reading.about import About
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, find_table
from partnerships.transfer.reading.other_bodies import OtherBody, other_kind
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import code, flag, partial_date

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
#: What to do with a row that is not a council.
TAKE_OTHERS = "Leave it out, or import the list with “Also import bodies that are not councils” (--take-others)."
_MISTYPED = (dt.date(1905, 5, 1), dt.date(1905, 7, 31))
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


@dataclass(frozen=True, slots=True)
class Council:
    """A council or combined authority in England; dates are half-open."""

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
    #: The code of its area as a local planning authority (`E60…`).
    planning_area: str = ""

    @property
    def is_combined(self) -> bool:
        """Whether it is a combined or strategic authority."""
        return self.type in ("COMB", "SRA")


@dataclass(frozen=True, slots=True)
class CouncilList:
    """The English councils of a list, and the number of rows skipped.

    Rows of other nations are skipped.
    """

    councils: tuple[Council, ...]
    elsewhere: int
    #: Lists with keys contain every council under its own name. The ONS's lists contain one kind of area, under the
    #: names of the areas.
    is_whole: bool
    about: About
    #: Bodies that are no councils, if they are taken.
    others: tuple[OtherBody, ...] = ()


def read_councils(
    sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN, *, take_others: bool = False
) -> CouncilList:
    """The English councils of a list; rows with problems are set aside.

    So are national parks and other bodies that are no councils, unless `take_others`. Raises `UnableToRead` if it is no
    such list.
    """
    table = find_table(sheets, COLUMNS, "a list of councils", known_headings)
    faults = Collector(table)
    keys: dict[str, int] = {}
    codes: dict[str, int] = {}
    councils: list[Council] = []
    elsewhere = 0
    others: list[OtherBody] = []
    written: list[dt.date] = []
    for line in table:
        if not _is_english(line):
            elsewhere += 1
            continue
        if other := _other(line):
            body, description = other
            if take_others:
                others.append(body)
            else:
                faults.leave_out(line, "official", f"“{body.name}” is {description}, not a council.", TAKE_OTHERS)
            continue
        if entry := faults.day(line, "entry"):
            written.append(entry)
        councils.append(_council(line, faults, keys, codes, has_key=table.has("key")))
    if not councils and not others:
        raise UnableToRead(
            [Problem(None, "", "it contains no English council.", "Give the list for England or the United Kingdom.")]
        )
    about = faults.about()
    about = replace(about, true_on=about.true_on or max(written, default=None), outside=elsewhere)
    sound = tuple(council for council in _with_half_open_ends(councils) if council.row not in faults.bad_rows)
    return CouncilList(
        councils=sound, elsewhere=elsewhere, is_whole=table.has("key"), about=about, others=tuple(others)
    )


def _other(line: Line) -> tuple[OtherBody, str] | None:
    """The row's body if it is not a council, and what it is."""
    gss, name, curie = code(line["gss"]), line.text("official"), line.text("organisation")
    found = other_kind(curie=curie, given_type=line.text("type"), gss=gss, name=name)
    if found is None or not name:
        return None
    known_code = gss if GSS.fullmatch(gss) else ""
    website = line.text("website")[:500] if line.text("website").startswith("http") else ""
    curie = curie if ":" in curie else ""
    return OtherBody(
        row=line.number,
        kind=found[0],
        name=name,
        gss=known_code,
        curie=curie,
        website=website,
        planning_area=_planning_area(line),
    ), found[1]


def _planning_area(line: Line) -> str:
    area = code(line["planning_area"])
    return area if GSS.fullmatch(area) else ""


def _is_english(line: Line) -> bool:
    nation = line.text("nation").casefold()
    if nation:
        return nation == "england"
    gss = code(line["gss"])
    return not GSS.fullmatch(gss) or gss.startswith("E")


def _council(line: Line, faults: Collector, keys: dict[str, int], codes: dict[str, int], *, has_key: bool) -> Council:
    """The council of a line.

    Problems go to `faults`, and the line is then left out.
    """
    key = faults.key(line, "key", keys) if has_key else ""
    gss = faults.key(line, "gss", codes)
    if gss and not GSS.fullmatch(gss):
        faults.add_problem(
            line, "gss", f"“{gss}” is not a GSS code.", "Write a letter and eight digits, such as E07000223."
        )
    name = faults.required(line, "official")
    starts_on, ends_on = _start(line, faults), faults.day(line, "end")
    if starts_on and ends_on and ends_on < starts_on:
        faults.add_problem(
            line, "end", f"it ends on {ends_on}, before it starts on {starts_on}.", "Correct one of the dates."
        )
    return Council(
        row=line.number,
        key=key or gss,
        name=name,
        short_name=line.text("nice"),
        gss=gss,
        type=_type(line, gss, faults),
        region=_region(line, faults),
        starts_on=starts_on,
        ends_on=ends_on,
        is_current=_is_current(line, faults),
        successors=tuple(code(part) for part in line.text("replaced_by").replace(";", ",").split(",") if part.strip()),
        county=code(line["county"]),
        alternatives=_alternatives(line),
        former_codes=tuple(
            code(part) for part in line.text("former_codes").replace(";", ",").split(",") if GSS.fullmatch(code(part))
        ),
        old_code=code(line["old_code"]),
        website=line.text("website")[:500] if line.text("website").startswith("http") else "",
        entity=code(line["entity"]),
        planning_area=_planning_area(line),
    )


def _start(line: Line, faults: Collector) -> dt.date | None:
    """The start date, if a full one is given.

    A year typed into Excel becomes a day in the early summer of 1905: 1996 is the 1,996th day since 1900.
    """
    partial = faults.read(line, "start", partial_date)
    if partial is None or partial.precision != "day" or _MISTYPED[0] <= partial.earliest <= _MISTYPED[1]:
        return None
    return partial.earliest


def _type(line: Line, gss: str, faults: Collector) -> str:
    given = line.text("type")
    known = given.upper() if given.upper() in TYPES else _TYPE_WORDS.get(re.sub(r"[^a-z]", "", given.casefold()), "")
    if given and not known:
        faults.add_problem(line, "type", f"“{given}” is not a type of council.", f"Write one of {', '.join(TYPES)}.")
    if not given:
        known = "CC" if gss == "E09000001" else "SRA" if gss == "E12000007" else TYPE_OF_PREFIX.get(gss[:3], "")
        if not known and gss:
            faults.add_problem(
                line,
                "gss",
                f"“{gss}” is not the code of an English council or combined authority.",
                "Correct the code, or remove the row.",
            )
    return known


def _region(line: Line, faults: Collector) -> str:
    given = line.text("region").rpartition(":")[2]
    if not given or given.upper() in REGION_NAMES:
        return given.upper()
    name = _OTHER_REGION_NAMES.get(fold_name(given), fold_name(given))
    for region, gss in REGIONS.items():
        if fold_name(region) == name:
            return gss
    faults.add_problem(
        line,
        "region",
        f"“{given}” is not a region of England.",
        f"Write one of {', '.join(REGIONS)}, or leave it blank.",
    )
    return ""


def _is_current(line: Line, faults: Collector) -> bool:
    said = line["current"]
    if line.text("current"):
        value = flag(said)
        if value is None:
            faults.add_problem(
                line, "current", f"“{line.text('current')}” is neither yes nor no.", "Write True or False."
            )
        return bool(value)
    return not line.text("end")


def _alternatives(line: Line) -> tuple[str, ...]:
    """Alternative names, split at commas, unique whatever their case.

    "Bristol, City of" is one name written backwards: it becomes "Bristol" and "City of Bristol".
    """
    seen = {line.text("official").casefold(), line.text("nice").casefold(), ""}
    kept, before = [], ""
    for part in line.text("alternatives").split(","):
        name = " ".join(part.split())[:300]
        if name.casefold().endswith(" of"):
            name = f"{name} {before}"[:300] if before else ""
        before = name
        if name.casefold() not in seen:
            seen.add(name.casefold())
            kept.append(name)
    return tuple(kept)


def _with_half_open_ends(councils: list[Council]) -> tuple[Council, ...]:
    """The councils with half-open end dates.

    Lists mix two conventions: the last day (the ONS: 31 March) and the day on which the successor started (1 April).
    The start of the successor decides. Without one, the first of a month is taken as the day after, any other day as
    the last.
    """
    starts = {council.key: council.starts_on for council in councils}
    settled = []
    for council in councils:
        ends_on = council.ends_on
        if ends_on is not None:
            begun = {starts.get(key) for key in council.successors}
            next_day = ends_on + dt.timedelta(days=1)
            if ends_on not in begun and (next_day in begun or ends_on.day != 1):
                ends_on = next_day
        settled.append(replace(council, ends_on=ends_on))
    return tuple(settled)
