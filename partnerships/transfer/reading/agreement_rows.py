"""Rows of developer agreements, contributions and transactions.

Their columns, and how each is read.
"""

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
    """One row of the agreements file.

    `organisation` is as written in the file.
    """

    row: int
    key: str
    kind: str
    application: str
    url: str
    organisation: str
    agreed_on: dt.date | None
    ended_on: dt.date | None
    #: Its texts by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Movement:
    """One transaction for a contribution.

    `ended_on` is when the platform withdrew the record.
    """

    row: int
    key: str
    status: str
    amount: Decimal | None
    units: Decimal | None
    on: dt.date | None
    ended_on: dt.date | None
    notes: str = ""
    #: Its texts by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)
    #: Whether its row was read before and is not in these files.
    is_recalled: bool = False


@dataclass(frozen=True, slots=True)
class Promise:
    """One contribution: money, homes, or something without a number.

    `ended_on` is when the platform withdrew the record.
    """

    row: int
    key: str
    #: The reference of its agreement, and the row of that in the file of agreements; None if it is not there.
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
    #: Its texts by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)
    #: Whether its row was read before and is not in these files: only transactions of it are, corrected.
    is_recalled: bool = False
