"""Read the ONS look-up, of any year, from districts and counties to combined authorities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from partnerships.kit.names import fold_name
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, find_table
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import code

CODE = re.compile(r"E47\d{6}")
DISTRICT = re.compile(r"E0[6789]\d{6}")
COLUMNS = (
    Column(
        "district",
        (r"lad\d\dcd", "ladcd", "lacd", "lacode", "districtcode"),
        "LAD25CD",
        required=True,
        values=r"E0[6789]\d{6}",
    ),
    Column("district_name", (r"lad\d\dnm", "ladnm", "lanm", "laname", "districtname"), "LAD25NM", required=True),
    Column(
        "authority",
        (r"cauth\d\dcd", "cauthcd", "combinedauthoritycode", "cacode"),
        "CAUTH25CD",
        required=True,
        values=r"E47\d{6}",
    ),
    Column(
        "authority_name", (r"cauth\d\dnm", "cauthnm", "combinedauthorityname", "caname"), "CAUTH25NM", required=True
    ),
)


@dataclass(frozen=True, slots=True)
class CombinedAuthority:
    """A combined authority with its districts, each a code and a name. `row` is its first row."""

    row: int
    code: str
    name: str
    districts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CombinedAuthorityList:
    """The combined authorities of a look-up, and the file with its rows set aside."""

    authorities: tuple[CombinedAuthority, ...]
    list_file: ListFile


class _DistrictRow(NamedTuple):
    """A row of the look-up, which has a district and the combined authority to which it belongs."""

    number: int
    authority: str
    district: str
    district_name: str


def read_combined_authorities(
    sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN
) -> CombinedAuthorityList:
    """Return the combined authorities of a look-up. Rows with problems are set aside.

    Raises `UnableToRead` if the file is not a look-up of districts to combined authorities.
    """
    table = find_table(sheets, COLUMNS, "a look-up of districts to combined authorities", known_headings)
    collector = Collector(table)
    row_by_district: dict[str, int] = {}
    name_and_row_by_authority: dict[str, tuple[str, int]] = {}
    # Some look-ups also list districts outside combined authorities.
    rows = [
        _read_row(line, collector, row_by_district, name_and_row_by_authority)
        for line in table
        if line.text("authority")
    ]

    # Rows with problems are known only now, because a later row can contradict an earlier one.
    districts_by_authority = _districts_by_authority(row for row in rows if row.number not in collector.bad_rows)
    authorities = tuple(
        CombinedAuthority(first_row, authority, name, tuple(districts_by_authority[authority]))
        for authority, (name, first_row) in name_and_row_by_authority.items()
        if authority in districts_by_authority
    )
    return CombinedAuthorityList(authorities, collector.list_file())


def _read_row(
    line: Line,
    collector: Collector,
    row_by_district: dict[str, int],
    name_and_row_by_authority: dict[str, tuple[str, int]],
) -> _DistrictRow:
    """Return the district of a row with its authority. The collector gets the problems of the row.

    The dictionaries have the districts and the authorities of earlier rows. Those of this row are added to them.
    """
    authority = code(line["authority"])
    district = collector.key(line, "district", row_by_district)
    if district and not DISTRICT.fullmatch(district):
        fault = f"“{district}” is not the code of a district."
        collector.add_problem(line, "district", fault, "Enter a code, for example E08000001.")
    if CODE.fullmatch(authority):
        name = collector.required(line, "authority_name")
        first_name, first_row = name_and_row_by_authority.setdefault(authority, (name, line.number))
        if fold_name(first_name) != fold_name(name):
            fault = f"{authority} is “{name}” here and “{first_name}” in row {first_row}."
            remedy = "A code belongs to one authority. Correct one of the two."
            collector.add_problem(line, "authority_name", fault, remedy)
    else:
        fault = f"“{authority}” is not the code of a combined authority."
        collector.add_problem(line, "authority", fault, "Enter a code, for example E47000001.")
    return _DistrictRow(line.number, authority, district, line.text("district_name"))


def _districts_by_authority(rows: Iterable[_DistrictRow]) -> dict[str, list[tuple[str, str]]]:
    """Return the code and name of each district by the code of its combined authority."""
    districts_by_authority: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        districts_by_authority.setdefault(row.authority, []).append((row.district, row.district_name))
    return districts_by_authority
