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
    """A Local Enterprise Partnership in a list."""

    #: The number of its first row that was not set aside.
    row: int
    code: str
    name: str
    #: The code and name of each district that it served.
    districts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LepList:
    """The LEPs of a list, and the file with its rows set aside."""

    leps: tuple[Lep, ...]
    list_file: ListFile


class _LepRow(NamedTuple):
    """A LEP in a row of the list. A row with two LEPs gives two of these.

    `district` is "" if the list has no districts.
    """

    line: Line
    lep_column: str
    name_column: str
    lep: str
    name: str
    district: str
    district_name: str


def read_leps(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> LepList:
    """Return the LEPs of a list. Rows with problems are set aside.

    A district may have two LEPs, in the columns `lep` and `lep2`. Raises `UnableToRead` if the file is no list of LEPs.
    """
    table = find_table(sheets, columns_of(sheets), "a list of LEPs", known_headings)
    collector = Collector(table)
    rows = _read_rows(collector)
    _check_names(collector, rows)
    _check_repeats(collector, [row for row in rows if not collector.has_problem(row.line, "district")])
    good_rows = [row for row in rows if not collector.has_problem(row.line)]
    return LepList(_leps_in(good_rows), collector.list_file())


def _read_rows(collector: Collector) -> list[_LepRow]:
    """Return each LEP of each row that has a valid code, with problems for codes and names that cannot be used."""
    has_districts = collector.table.has("district")
    rows: list[_LepRow] = []
    for line in collector.table:
        district = code(line["district"]) if has_districts else ""
        if has_districts and not DISTRICT_CODE.fullmatch(district):
            collector.add_problem(
                line, "district", f"“{district}” is not the code of a district.", "Enter a code, for example E07000223."
            )
        for lep_column, name_column in (("lep", "lep_name"), ("lep2", "lep2_name")):
            lep = code(line[lep_column])
            if lep_column == "lep2" and not lep:
                continue
            if not LEP_CODE.fullmatch(lep):
                collector.add_problem(
                    line, lep_column, f"“{lep}” is not the code of a LEP.", "Enter a code, for example E37000055."
                )
                continue
            name = collector.required(line, name_column)
            rows.append(_LepRow(line, lep_column, name_column, lep, name, district, line.text("district_name")))
    return rows


def _check_names(collector: Collector, rows: Iterable[_LepRow]) -> None:
    """Add a problem to each row whose LEP has another name in an earlier row.

    “Solent LEP” and “Solent Local Enterprise Partnership” are the same name. Blank names already have a problem.
    """
    first_row_by_lep: dict[str, _LepRow] = {}
    for row in rows:
        if not row.name:
            continue
        first_row = first_row_by_lep.setdefault(row.lep, row)
        if lep_core_name(first_row.name) != lep_core_name(row.name):
            collector.add_problem(
                row.line,
                row.name_column,
                f"{row.lep} is “{row.name}” here and “{first_row.name}” in row {first_row.line.number}.",
                "A code belongs to one LEP. Correct one of the two.",
            )


def _check_repeats(collector: Collector, rows: Iterable[_LepRow]) -> None:
    """Add a problem to each row whose district is in an earlier row with the same LEP.

    In a list without districts, a LEP may be in one row only.
    """
    first_row_by_lep_and_district: dict[tuple[str, str], _LepRow] = {}
    for row in rows:
        first_row = first_row_by_lep_and_district.setdefault((row.lep, row.district), row)
        if first_row is not row:
            repeated = f"{row.district} in {row.lep}" if row.district else row.lep
            collector.add_problem(
                row.line,
                "district" if row.district else row.lep_column,
                f"“{repeated}” is already in row {first_row.line.number}.",
                "Remove one of the two rows.",
            )


def _leps_in(rows: Iterable[_LepRow]) -> tuple[Lep, ...]:
    """Return the LEPs of these rows, each with its districts and with the name in its first row."""
    rows_by_lep: dict[str, list[_LepRow]] = {}
    for row in rows:
        rows_by_lep.setdefault(row.lep, []).append(row)
    return tuple(
        Lep(
            row=lep_rows[0].line.number,
            code=lep,
            name=lep_rows[0].name,
            districts=tuple((row.district, row.district_name) for row in lep_rows if row.district),
        )
        for lep, lep_rows in rows_by_lep.items()
    )


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
