"""The columns of developer agreements, contributions and transactions, and what is read from their rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from partnerships.transfer.reading.headings import Column

_ORGANISATION = Column("organisation", ("organisation", "organisations", "localauthority"), "organisation")
_START = Column("start", ("startdate", "date"), "start-date")
_ENTRY = Column("entry", ("entrydate",), "entry-date")
_AMOUNT = Column("amount", ("amount", "value", "sum"), "amount")
_UNITS = Column("units", ("units", "homes", "dwellings"), "units")
_NOTES = Column("notes", ("notes", "note"), "notes")
_END = Column("end", ("enddate",), "end-date")
AGREEMENTS = (
    Column("key", ("developeragreement", "agreement", "reference"), "developer-agreement", required=True),
    Column("type", ("developeragreementtype", "agreementtype", "type"), "developer-agreement-type", required=True),
    Column("application", ("planningapplication", "application"), "planning-application"),
    Column("name", ("name", "title"), "name"),
    Column("url", ("documenturl", "url"), "document-url"),
    _ORGANISATION,
    _START,
    _END,
    _ENTRY,
    _NOTES,
)
CONTRIBUTIONS = (
    Column(
        "key",
        ("developeragreementcontribution", "contribution", "reference"),
        "developer-agreement-contribution or reference",
        required=True,
    ),
    Column("agreement", ("developeragreement", "agreement"), "developer-agreement", required=True),
    Column("purpose", ("contributionpurpose", "purpose"), "contribution-purpose", required=True),
    _AMOUNT,
    _UNITS,
    _ORGANISATION,
    _START,
    _END,
    _ENTRY,
    _NOTES,
)
TRANSACTIONS = (
    Column(
        "key",
        ("developeragreementtransaction", "transaction", "reference"),
        "developer-agreement-transaction or reference",
        required=True,
    ),
    Column(
        "contribution",
        ("developeragreementcontribution", "contribution"),
        "developer-agreement-contribution",
        required=True,
    ),
    Column(
        "status", ("contributionfundingstatus", "fundingstatus", "status"), "contribution-funding-status", required=True
    ),
    _AMOUNT,
    _UNITS,
    _ORGANISATION,
    _START,
    _END,
    _ENTRY,
    _NOTES,
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A row of the agreements file. `organisation` is the text of the file, not yet matched."""

    row: int
    key: str
    kind: str
    application: str
    url: str
    organisation: str
    agreed_on: dt.date | None
    ended_on: dt.date | None
    #: The texts of the row's cells by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Movement:
    """A transaction of a contribution, from a row of the transactions file.

    `ended_on` is the day on which the platform withdrew the record.
    """

    row: int
    key: str
    status: str
    amount: Decimal | None
    units: Decimal | None
    on: dt.date | None
    ended_on: dt.date | None
    notes: str = ""
    #: The texts of the row's cells by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)
    #: Whether the row comes from an earlier import and is not in these files.
    is_recalled: bool = False


@dataclass(frozen=True, slots=True)
class Promise:
    """A contribution of money, homes, or something without a number, from a row of the contributions file.

    `ended_on` is the day on which the platform withdrew the record.
    """

    row: int
    key: str
    #: The reference of the agreement, and the agreement's row in the agreements file, or None if it has none there.
    agreement: str
    agreement_row: int | None
    purpose: str
    amount: Decimal | None
    units: Decimal | None
    organisation: str
    agreed_on: dt.date | None
    ended_on: dt.date | None
    movements: tuple[Movement, ...] = ()
    notes: str = ""
    #: The texts of the row's cells by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)
    #: Whether the row is from an earlier import. These files then have only corrected transactions of the contribution.
    is_recalled: bool = False
