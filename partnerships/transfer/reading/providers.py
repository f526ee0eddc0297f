"""Read lists of registered providers of social housing.

The lists are the regulator's monthly list, and the register of 2017, which has council keys.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, find_table
from partnerships.transfer.reading.list_file import ListFile
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
        values=r"[A-Z]{0,2}\d{2,5}[A-Z]{0,2}",
    ),
    Column(
        "date",
        ("registrationdate", "dateofregistration", "regdate", "dateregistered", "registeredon", "startdate"),
        "Registration date",
        values=r"\d{1,4}[-/. ](\d{1,2}|[A-Za-z]+)[-/. ]\d{2,4}.*",
    ),
    Column(
        "designation",
        ("designation", "providertype", "landlordtype", "socialhousingproviderdesignationeng", "type"),
        "Designation",
        required=True,
        values=r"non.?profit.*|profit.*|for.profit.*|not.for.profit.*|local authority|la|larp|prp|council",
    ),
    Column(
        "form",
        ("corporateform", "legalform", "legalentity", "corporatestatus", "socialhousingproviderlegalentityeng"),
        "Corporate form",
    ),
    Column("council", ("localauthority", "localauthoritykey", "councilkey", "organisation"), "organisation"),
    Column(
        "end",
        (
            "enddate",
            "deregistrationdate",
            "dateofderegistration",
            "dateofderegistering",
            "deregisteredon",
            "datederegistered",
            "deregistered",
            "dateremoved",
            "removaldate",
            "dissolutiondate",
        ),
        "end-date",
    ),
    Column("status", ("registrationstatus", "providerstatus", "status"), "Status"),
)
#: Words for a provider that is no longer registered.
_ENDED = {"deregistered", "removed", "dissolved", "ceased", "closed", "ended", "former", "inactive", "notregistered"}

NON_PROFIT, PROFIT, LOCAL_AUTHORITY = "Non-profit", "Profit", "Local authority"
#: The code lists of the register of 2017 (social_housing_provider_designation.tsv, …_legal_entity.tsv).
DESIGNATION_CODES = {"1": NON_PROFIT, "2": LOCAL_AUTHORITY, "3": PROFIT}
FORM_CODES = {"1": "Companies House", "2": "Charity Commission", "3": "FCA - Non-charitable", "4": "FCA - Charitable"}
_DESIGNATIONS = {
    "nonprofit": NON_PROFIT,
    "notforprofit": NON_PROFIT,
    "nonprofitmaking": NON_PROFIT,
    "localauthority": LOCAL_AUTHORITY,
    "la": LOCAL_AUTHORITY,
    "larp": LOCAL_AUTHORITY,
    "council": LOCAL_AUTHORITY,
    "profit": PROFIT,
    "forprofit": PROFIT,
    "profitmaking": PROFIT,
    **DESIGNATION_CODES,
}
#: Words for a provider that is not a council, whether or not it makes a profit.
_PRIVATE = {"prp", "privateregisteredprovider", "registeredprovider", "housingassociation"}


@dataclass(frozen=True, slots=True)
class Provider:
    """A registered provider, from a row of a list.

    `council_key` is the key of the council, if the provider is a council and the list gives the key.
    """

    row: int
    number: str
    name: str
    registered_on: dt.date | None
    designation: str
    form: str
    council_key: str
    #: Whether the list says that the provider is no longer registered, and since when.
    is_ended: bool = False
    ended_on: dt.date | None = None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Provider:
        """Return the provider that `as_json` turned into JSON."""
        dates = {
            name: dt.date.fromisoformat(fields[name]) if fields.get(name) else None
            for name in ("registered_on", "ended_on")
        }
        return cls(**{**fields, **dates})

    def as_json(self) -> dict[str, Any]:
        """Return the provider's fields as JSON values, for a row to review."""
        dates = {"registered_on": self.registered_on, "ended_on": self.ended_on}
        return asdict(self) | {name: day.isoformat() if day else None for name, day in dates.items()}

    @property
    def is_council(self) -> bool:
        """Return whether the provider is a council."""
        return self.designation == LOCAL_AUTHORITY


@dataclass(frozen=True, slots=True)
class ProviderList:
    """The providers of a list, and the file with its rows set aside."""

    providers: tuple[Provider, ...]
    list_file: ListFile


def read_providers(sheets: Sequence[Sheet], known_headings: Mapping[str, str] = NONE_KNOWN) -> ProviderList:
    """Return the providers of a list. Rows with problems are set aside.

    Raises `UnableToRead` if the file is no list of providers.
    """
    table = find_table(sheets, COLUMNS, "a list of registered providers", known_headings)
    collector = Collector(table)
    row_by_number: dict[str, int] = {}
    providers: list[Provider] = []
    for line in table:
        number = collector.key(line, "number", row_by_number)
        if number and not re.fullmatch(r"[A-Z0-9/-]{1,20}", number):
            collector.add_problem(
                line,
                "number",
                f"“{number}” is not a registration number.",
                "Enter a number, for example 45UB, 5069 or LH0391.",
            )
        providers.append(_provider(line, number, collector))
    usable_providers = tuple(provider for provider in providers if provider.row not in collector.bad_rows)
    return ProviderList(usable_providers, collector.list_file())


def _provider(line: Line, number: str, collector: Collector) -> Provider:
    """Return the provider in a row. The collector gets its problems, and the caller leaves out rows with problems."""
    council_key = key_of_curie(line.text("council"))
    registered_on, ended_on = collector.day(line, "date"), collector.day(line, "end")
    if registered_on and ended_on and ended_on < registered_on:
        collector.add_problem(
            line,
            "end",
            f"the registration ends on {ended_on}, before it began on {registered_on}.",
            "Correct one of the dates.",
        )
    is_ended = ended_on is not None or re.sub(r"[^a-z]", "", line.text("status").casefold()) in _ENDED
    return Provider(
        row=line.number,
        number=number,
        name=line.text("name") if council_key else collector.required(line, "name"),
        registered_on=registered_on,
        designation="" if is_ended and not line.text("designation") else _designation(line, collector),
        form=FORM_CODES.get(line.text("form"), line.text("form"))[:120],
        council_key=council_key,
        is_ended=is_ended,
        ended_on=ended_on,
    )


def _designation(line: Line, collector: Collector) -> str:
    """Return the designation in a row, or "" if it is unknown or the word means only “not a council”.

    An unknown designation is a problem.
    """
    cell_text = line.text("designation")
    folded_text = re.sub(r"[^a-z0-9]", "", cell_text.casefold())
    designation = _DESIGNATIONS.get(folded_text, "")
    if not designation and folded_text not in _PRIVATE:
        collector.add_problem(
            line,
            "designation",
            f"“{cell_text}” is not a designation." if cell_text else "the cell is blank.",
            "Enter Non-profit, Profit or Local authority.",
        )
    return designation
