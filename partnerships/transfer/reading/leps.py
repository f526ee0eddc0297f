"""Read lists of Local Enterprise Partnerships, with the districts that they served or just with codes and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, find_table
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.names import lep_core_name
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import code

LEP_CODE = re.compile(r"E37\d{6}")
DISTRICT_CODE = re.compile(r"E0[6789]\d{6}")

_LEP = (
    Column(
        "lep",
        (r"ercd", r"lep\d\dcd1?", r"lep1?code", r"lepcd", r"lepcode1"),
        "ERCD or LEP21CD1",
        required=True,
        values=r"E37\d{6}",
    ),
    Column(
        "lep_name", (r"ernm", r"lep\d\dnm1?", r"lep1?name", r"lepnm", r"lepname1"), "ERNM or LEP21NM1", required=True
    ),
)
DISTRICTS = (
    Column(
        "district",
        (r"lacd", r"lad\d\dcd", r"ladcd", r"lacode", r"districtcode", r"gsscode", r"localauthoritycode"),
        "LAD21CD",
        required=True,
        values=r"E0[6789]\d{6}",
    ),
    Column(
        "district_name", (r"lanm", r"lad\d\dnm", r"ladnm", r"laname", r"districtname", r"localauthorityname"), "LAD21NM"
    ),
    *_LEP,
    Column("lep2", (r"lep\d\dcd2", r"lep2code", r"lepcode2"), "LEP21CD2"),
    Column("lep2_name", (r"lep\d\dnm2", r"lep2name", r"lepname2"), "LEP21NM2"),
)
NAMES = (
    Column(
        "lep", (r"code", r"lep\d\dcd\d?", r"ercd", r"gsscode", r"lepcode"), "code", required=True, values=r"E37\d{6}"
    ),
    Column("lep_name", (r"name", r"lep\d\dnm\d?", r"ernm", r"lepname"), "name", required=True),
)


@dataclass(frozen=True, slots=True)
class Lep:
    """A Local Enterprise Partnership, with its districts, each a code and a name. `row` is its first row."""

    row: int
    code: str
    name: str
    districts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LepList:
    """The LEPs of a list, and the file with its rows set aside."""

    leps: tuple[Lep, ...]
    list_file: ListFile


class _LepRow(NamedTuple):
    """A LEP in a row of the list, and the district of the row, or "" if the list has no districts."""

    number: int
    lep: str
    district: str
    district_name: str


def read_leps(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> LepList:
    """Return the LEPs of a list. Rows with problems are set aside.

    A district may have two LEPs, in the columns `lep` and `lep2`. Raises `UnableToRead` if the file is no list of LEPs.
    """
    with_districts = _has_districts(sheets)
    table = find_table(sheets, columns_of(sheets), "a list of LEPs", known_headings)
    collector = Collector(table)
    name_and_row_by_lep: dict[str, tuple[str, int]] = {}
    rows: list[_LepRow] = []
    row_by_district_and_lep: dict[str, int] = {}
    for line in table:
        for lep_column, name_column in (("lep", "lep_name"), ("lep2", "lep2_name")):
            lep, name = code(line[lep_column]), line.text(name_column)
            if lep_column == "lep2" and not lep:
                continue
            if not LEP_CODE.fullmatch(lep):
                collector.add_problem(
                    line, lep_column, f"“{lep}” is not the code of a LEP.", "Enter a code, for example E37000055."
                )
                continue
            collector.required(line, name_column)
            first_name, first_row = name_and_row_by_lep.setdefault(lep, (name, line.number))
            if lep_core_name(first_name) != lep_core_name(name):
                collector.add_problem(
                    line,
                    name_column,
                    f"{lep} is “{name}” here and “{first_name}” in row {first_row}.",
                    "A code belongs to one LEP. Correct one of the two.",
                )
            district = code(line["district"]) if with_districts else ""
            rows.append(_LepRow(line.number, lep, district, line.text("district_name")))
            if with_districts:
                _check_district(collector, line, district, lep, row_by_district_and_lep)
            elif first_row != line.number:
                collector.add_problem(
                    line, "lep", f"“{lep}” is already in row {first_row}.", "Remove one of the two rows."
                )

    # Rows with problems are known only now, because a later row can contradict an earlier one.
    districts_by_lep = _districts_by_lep(row for row in rows if row.number not in collector.bad_rows)
    leps = tuple(
        Lep(first_row, lep, name, tuple(districts_by_lep[lep].items()))
        for lep, (name, first_row) in name_and_row_by_lep.items()
        if lep in districts_by_lep
    )
    return LepList(leps, collector.list_file())


def _districts_by_lep(rows: Iterable[_LepRow]) -> dict[str, dict[str, str]]:
    """Return the codes and names of districts by the code of their LEP. A LEP without districts has an empty value."""
    districts_by_lep: dict[str, dict[str, str]] = {}
    for row in rows:
        districts = districts_by_lep.setdefault(row.lep, {})
        if row.district:
            districts[row.district] = row.district_name
    return districts_by_lep


def _check_district(
    collector: Collector, line: Line, district: str, lep: str, row_by_district_and_lep: dict[str, int]
) -> None:
    """Add a problem if the district has no valid code, or if an earlier row has it with the same LEP."""
    if not DISTRICT_CODE.fullmatch(district):
        collector.add_problem(
            line, "district", f"“{district}” is not the code of a district.", "Enter a code, for example E07000223."
        )
    district_and_lep = f"{district} in {lep}"
    if district_and_lep in row_by_district_and_lep:
        collector.add_problem(
            line,
            "district",
            f"“{district_and_lep}” is already in row {row_by_district_and_lep[district_and_lep]}.",
            "Remove one of the two rows.",
        )
    row_by_district_and_lep.setdefault(district_and_lep, line.number)


def columns_of(sheets: Sequence[Sheet]) -> tuple[Column, ...]:
    """Return the columns of a list of LEPs, which depend on whether the list has districts."""
    return DISTRICTS if _has_districts(sheets) else NAMES


def _has_districts(sheets: Sequence[Sheet]) -> bool:
    """Return whether a sheet that names LEPs has district codes near its top."""
    for sheet in sheets:
        cells = [code(cell) for row in sheet.rows[:60] for cell in row.cells]
        if any(DISTRICT_CODE.fullmatch(cell) for cell in cells) and any(LEP_CODE.fullmatch(cell) for cell in cells):
            return True
    return False
