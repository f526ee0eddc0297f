"""Published lists for tests: small lists, extracts of real lists, and whole real lists.

Whole lists are only used if they are on this machine.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
from django.utils import timezone

from partnerships.transfer.models import ImportRun
from partnerships.transfer.services.files import File
from partnerships.transfer.services.local_plans import import_local_plans
from partnerships.transfer.services.registers import Choices, import_register

EXTRACTS = Path(__file__).parent / "extracts"
#: The folder of the whole published files, beside the checkout.
WHOLE = Path(__file__).parents[3] / "shared" / "data"


def extract(name: str) -> bytes:
    """Return the bytes of an extract of a real file."""
    return (EXTRACTS / name).read_bytes()


def import_list(register: str, data: bytes | str, *, name: str = "list.csv", **options: Any) -> ImportRun:
    """Import a list in the way of the command, and return the run."""
    raw = data.encode() if isinstance(data, str) else data
    now = options.pop("now", timezone.now())
    dry_run = options.pop("dry_run", False)
    return import_register(
        register=register,
        file=File(name, raw),
        author=None,
        now=now,
        choices=Choices(**options),
        dry_run=dry_run,
    ).run


def import_plans(plans: bytes, timetable: bytes, *, now: dt.datetime | None = None, **options: Any) -> ImportRun:
    """Import local plans in the way of the command, and return the run."""
    return import_local_plans(
        plans=File("local-plan.csv", plans),
        timetable=File("local-plan-timetable.csv", timetable),
        author=None,
        now=now or timezone.now(),
        **options,
    ).run


def rows_of(data: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV as dictionaries."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def as_csv(rows: Sequence[dict[str, str]], delimiter: str = ",") -> bytes:
    """Return dictionaries as a CSV."""
    csv_text = io.StringIO(newline="")
    writer = csv.DictWriter(csv_text, fieldnames=list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return csv_text.getvalue().encode()


def as_workbook(sheets: dict[str, Sequence[Sequence[Any]]]) -> bytes:
    """Return rows, by the names of their sheets, as an Excel workbook."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


COUNCILS = """local-authority-code,official-name,nice-name,gss-code,start-date,end-date,replaced-by,\
nation,region,local-authority-type,county-la,alt-names,former-gss-codes,current-authority,old-ons-la-code
XWM,Westmarch Borough Council,Westmarch,E07900001,,,,England,South East,NMD,XCO,"Westmarch,westmarch borough",,True,90AA
XNM,Northmere District Council,Northmere,E07900002,,2023-03-31,XNW,England,South East,NMD,XCO,Northmere,,False,90AB
XSM,Southmere City Council,Southmere,E07900003,,2023-04-01,XNW,England,South East,NMD,XCO,Southmere,,False,90AC
XNW,Mere Council,Mere,E06900001,2023-04-01,,,England,South East,UA,,,,True,
XCO,Marchshire County Council,Marchshire,E10900001,,,,England,South East,CTY,,,,True,90
XGL,Glenmarch Council,Glenmarch,S12900001,,,,Scotland,Scotland,SCO,,,,True,
"""
PROVIDERS = """Organisation name,Registration number,Registration date,Designation,Corporate form
Larkhaven Homes Limited,LX9001,03/02/1975,Non-profit,Registered society
Tidewater Housing Group Limited,5069,01/04/2019,Non-profit,Company
Westmarch Borough Council,90AA,01/04/2010,Local authority,Registered local authority
Mere Council,5070,01/04/2023,Local authority,Registered local authority
"""
