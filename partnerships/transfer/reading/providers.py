"""Lists of registered providers of social housing: the regulator's of any month, and the register of 2017 with council
keys.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Line, find_table
from partnerships.transfer.reading.names import key_of_curie
from partnerships.transfer.reading.tables import Sheet

COLUMNS = (
    Column(
        "name",
        (
            "organisationname",
            "registeredprovidername",
            "providername",
            "nameofprovider",
            "landlordname",
            "name",
            "registeredprovider",
            "provider",
            "organisation",
        ),
        "Organisation name",
        required=True,
    ),
    Column(
        "number",
        (
            "registrationnumber",
            "registrationno",
            "regno",
            "regnumber",
            "rshregistrationnumber",
            "registeredprovidernumber",
            "registeredprovidercode",
            "providernumber",
            "landlordcode",
            "registrationcode",
            "rpnumber",
            "socialhousingprovidereng",
        ),
        "Registration number",
        required=True,
    ),
    Column(
        "date",
        ("registrationdate", "dateofregistration", "regdate", "dateregistered", "registeredon", "startdate"),
        "Registration date",
    ),
    Column(
        "designation",
        ("designation", "providertype", "landlordtype", "socialhousingproviderdesignationeng", "type"),
        "Designation",
        required=True,
    ),
    Column(
        "form",
        ("corporateform", "legalform", "legalentity", "corporatestatus", "socialhousingproviderlegalentityeng"),
        "Corporate form",
    ),
    Column("council", ("localauthority", "localauthoritykey", "councilkey", "organisation"), "organisation"),
    Column("end", ("enddate", "deregistrationdate", "dateofderegistration"), "end-date"),
)

NON_PROFIT, PROFIT, LOCAL_AUTHORITY = "Non-profit", "Profit", "Local authority"
_DESIGNATIONS = {
    "nonprofit": NON_PROFIT,
    "notforprofit": NON_PROFIT,
    "nonprofitmaking": NON_PROFIT,
    "1": NON_PROFIT,
    "localauthority": LOCAL_AUTHORITY,
    "la": LOCAL_AUTHORITY,
    "larp": LOCAL_AUTHORITY,
    "council": LOCAL_AUTHORITY,
    "2": LOCAL_AUTHORITY,
    "profit": PROFIT,
    "forprofit": PROFIT,
    "profitmaking": PROFIT,
    "3": PROFIT,
}
#: The code list of the register of 2017 (social_housing_provider_legal_entity.tsv).
_FORMS = {"1": "Companies House", "2": "Charity Commission", "3": "FCA - Non-charitable", "4": "FCA - Charitable"}


@dataclass(frozen=True, slots=True)
class Provider:
    """One row: a registered provider. `council_key` is the key of the council it is, where the list gives it."""

    row: int
    number: str
    name: str
    registered_on: dt.date | None
    designation: str
    form: str
    council_key: str

    @property
    def is_council(self) -> bool:
        """Whether the provider is a council."""
        return self.designation == LOCAL_AUTHORITY


@dataclass(frozen=True, slots=True)
class ProviderList:
    """What a list of providers says, and how many rows it marks as ended."""

    providers: tuple[Provider, ...]
    ended: int


def read_providers(sheets: Sequence[Sheet]) -> ProviderList:
    """The providers of a list. Raises `UnableToRead` with every fault found."""
    table = find_table(sheets, COLUMNS, "a list of registered providers")
    faults = Collector(table)
    numbers: dict[str, int] = {}
    providers: list[Provider] = []
    ended = 0
    for line in table:
        if _is_note(line):
            continue
        number = faults.key(line, "number", numbers)
        if number and not re.fullmatch(r"[A-Z0-9/-]{1,20}", number):
            faults.note(
                line, "number", f"“{number}” is not a registration number.", "Write it as 45UB, 5069 or LH0391."
            )
        if faults.day(line, "end") is not None:
            ended += 1
            continue
        council_key = key_of_curie(line.text("council"))
        designation = _designation(line, faults)
        name = line.text("name") if council_key else faults.required(line, "name")
        providers.append(
            Provider(
                row=line.number,
                number=number,
                name=name,
                registered_on=faults.day(line, "date"),
                designation=designation,
                form=_FORMS.get(line.text("form"), line.text("form"))[:120],
                council_key=council_key,
            )
        )
    faults.finish()
    return ProviderList(tuple(providers), ended)


def _is_note(line: Line) -> bool:
    """Whether the row is a note or a total below the table: words in one cell alone, none of them a number or
    designation.
    """
    filled = [cell for cell in line.cells if cell not in (None, "")]
    return len(filled) == 1 and not line.text("number") and not line.text("designation")


def _designation(line: Line, faults: Collector) -> str:
    given = line.text("designation")
    known = _DESIGNATIONS.get(re.sub(r"[^a-z0-9]", "", given.casefold()), "")
    if not known:
        faults.note(
            line,
            "designation",
            f"“{given}” is no designation." if given else "the cell is blank.",
            "Write Non-profit, Profit or Local authority.",
        )
    return known
