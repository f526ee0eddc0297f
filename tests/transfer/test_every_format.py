"""Each register can be imported from each kind of file, with the same result."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType

import pytest
import yaml
from django.utils import timezone

from partnerships.transfer.models import ImportRun
from partnerships.transfer.services.brownfield_land import import_brownfield_land
from partnerships.transfer.services.developer_agreements import import_developer_agreements
from partnerships.transfer.services.files import File
from partnerships.transfer.services.local_plans import import_local_plans

from .lists import COUNCILS, PROVIDERS, as_csv, as_workbook, import_list, rows_of
from .test_brownfield_land import REGISTER
from .test_developer_agreements import AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS
from .test_local_plans import PLANS, TIMETABLE
from .test_reading_tables import CELL, open_document

pytestmark = pytest.mark.django_db

Records = list[dict[str, str]]
Importer = Callable[..., ImportRun]
#: The date of all lists.
DAY = dt.date(2024, 1, 1)
DISTRICTS = """LAD25CD,LAD25NM,CAUTH25CD,CAUTH25NM
E07900001,Westmarch,E47900001,Marchshire
E06900001,Mere,E47900001,Marchshire
"""
LEPS = """LACD,LANM,ERCD,ERNM
E07900001,Westmarch,E37900001,Marchshire and Mere
E06900001,Mere,E37900001,Marchshire and Mere
"""
REGISTERS = MappingProxyType(
    {"councils": COUNCILS, "providers": PROVIDERS, "combined-authorities": DISTRICTS, "leps": LEPS}
)


def as_ods(records: Records) -> bytes:
    rows = [list(records[0]), *(list(record.values()) for record in records)]
    lines = ("".join(CELL.format("", escape(value)) for value in row) for row in rows)
    return open_document("".join(f"<table:table-row>{line}</table:table-row>" for line in lines))


def as_geojson(records: Records) -> bytes:
    features = [{"type": "Feature", "geometry": None, "properties": record} for record in records]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


FORMATS: Mapping[str, Callable[[Records], bytes]] = MappingProxyType(
    {
        "list.csv": as_csv,
        "list.tsv": lambda records: as_csv(records, "\t"),
        "list.xlsx": lambda records: as_workbook({"List": [list(records[0]), *(list(r.values()) for r in records)]}),
        "list.ods": as_ods,
        "list.json": lambda records: json.dumps(records).encode(),
        "list.yaml": lambda records: yaml.safe_dump(records, sort_keys=False, allow_unicode=True).encode(),
        "list.geojson": as_geojson,
    }
)
#: Workbooks of plans and agreements are among their altered copies (test_altered_copies.py).
AS_RECORDS = ("list.csv", "list.ods", "list.json", "list.yaml", "list.geojson")


def counts_and_lines(run: ImportRun) -> tuple[object, ...]:
    """Return the counts and the lines of the report."""
    return (run.created, run.changed, run.closed, run.joined, run.set_aside, run.undecided, run.report["lines"])


def assert_every_format_has_the_same_result(register: str) -> None:
    """Assert that importing the register from each kind of file reports the same counts and lines."""
    records = rows_of(REGISTERS[register].encode())
    outcomes = {
        name: counts_and_lines(import_list(register, write(records), name=name, as_of=DAY, dry_run=True))
        for name, write in FORMATS.items()
    }
    assert sum(outcomes["list.csv"][:4]) > 0  # type: ignore[arg-type]  # counts come first
    assert outcomes == dict.fromkeys(FORMATS, outcomes["list.csv"])


def test_every_format_of_the_councils_has_the_same_result() -> None:
    assert_every_format_has_the_same_result("councils")


@pytest.mark.parametrize("register", [register for register in REGISTERS if register != "councils"])
def test_every_format_of_a_register_of_known_councils_has_the_same_result(register: str) -> None:
    import_list("councils", COUNCILS, as_of=DAY)

    assert_every_format_has_the_same_result(register)


def test_every_format_of_plans_agreements_and_land_has_the_same_result() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    agreements = AGREEMENTS.partition("\n")[2]  # without its title
    registers: dict[Importer, tuple[bytes, ...]] = {
        try_to_import_plans: (PLANS.encode(), TIMETABLE.encode()),
        try_to_import_agreements: (agreements.encode(), CONTRIBUTIONS.encode(), TRANSACTIONS.encode()),
        try_to_import_land: (REGISTER,),
    }

    for importer, files in registers.items():
        records = [[{name: row[name] for name in row if name} for row in rows_of(file)] for file in files]
        outcomes = {}
        for name in AS_RECORDS:
            run = importer(*(File(name, FORMATS[name](file_records)) for file_records in records))
            outcomes[name] = (run.created, run.changed, run.closed, run.set_aside, run.report["rows"])
        assert outcomes["list.csv"][0] > 0
        assert outcomes == dict.fromkeys(AS_RECORDS, outcomes["list.csv"])


def try_to_import_plans(plans: File, timetable: File) -> ImportRun:
    return import_local_plans(plans=plans, timetable=timetable, author=None, now=timezone.now(), dry_run=True).run


def try_to_import_agreements(agreements: File, contributions: File, transactions: File) -> ImportRun:
    files = {"agreements": agreements, "contributions": contributions, "transactions": transactions}
    return import_developer_agreements(**files, author=None, now=timezone.now(), dry_run=True).run


def try_to_import_land(file: File) -> ImportRun:
    return import_brownfield_land(file=file, author=None, now=timezone.now(), dry_run=True).run
