"""The ONS look-up from districts and counties to combined authorities.

Reads the look-ups of every year.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from partnerships.kit.names import fold_name
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, find_table
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
    """One combined authority with its districts as (code, name)."""

    row: int
    code: str
    name: str
    districts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CombinedAuthorityList:
    """The content of a look-up."""

    authorities: tuple[CombinedAuthority, ...]
    list_file: ListFile


def read_combined_authorities(
    sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN
) -> CombinedAuthorityList:
    """Return the combined authorities of a look-up.

    Rows with problems are set aside. Raises `UnableToRead` if it is no such look-up.
    """
    table = find_table(sheets, COLUMNS, "a look-up of districts to combined authorities", known_headings)
    collector = Collector(table)
    districts: dict[str, int] = {}
    names: dict[str, tuple[str, int]] = {}
    rows: list[tuple[int, str, str, str]] = []
    for line in table:
        authority = code(line["authority"])
        if not authority:
            continue  # some look-ups also list districts outside combined authorities
        district = collector.key(line, "district", districts)
        if district and not DISTRICT.fullmatch(district):
            collector.add_problem(
                line, "district", f"“{district}” is not the code of a district.", "Enter a code, for example E08000001."
            )
        if not CODE.fullmatch(authority):
            collector.add_problem(
                line,
                "authority",
                f"“{authority}” is not the code of a combined authority.",
                "Enter a code, for example E47000001.",
            )
            continue
        name = collector.required(line, "authority_name")
        first, row = names.setdefault(authority, (name, line.number))
        if fold_name(first) != fold_name(name):
            collector.add_problem(
                line,
                "authority_name",
                f"{authority} is “{name}” here and “{first}” in row {row}.",
                "One code stands for one authority: correct one of the two.",
            )
        rows.append((line.number, authority, district, line.text("district_name")))
    members: dict[str, list[tuple[str, str]]] = {}
    for number, authority, district, district_name in rows:
        if number not in collector.bad_rows:
            members.setdefault(authority, []).append((district, district_name))
    authorities = tuple(
        CombinedAuthority(row, authority, name, tuple(members[authority]))
        for authority, (name, row) in names.items()
        if authority in members
    )
    return CombinedAuthorityList(authorities, collector.list_file())
