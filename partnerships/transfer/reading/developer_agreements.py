"""Reading the three files of developer agreements.

Every row is read or set aside with a reason.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from partnerships.transfer.reading.accounts import Accounts
from partnerships.transfer.reading.headings import NONE_KNOWN, Column, Line, Table
from partnerships.transfer.reading.several_files import Part, find_tables
from partnerships.transfer.reading.standard_cells import cells_of
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import Unreadable, amount, full_date, is_nothing, text

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
#: The platform's three types (developer-agreement-type.csv) and authorities' own words for them.
_TYPES = (
    ("section 106", r"s(ection)?106.*"),
    ("section 278", r"s(ection)?278.*"),
    ("community infrastructure levy", r"cil|communityinfrastructurelevy"),
)
STATUSES = ("secured", "received", "allocated", "spent", "transferred", "returned")


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


@dataclass(frozen=True, slots=True)
class Promise:
    """One contribution: money, homes, or something without a number.

    `ended_on` is when the platform withdrew the record.
    """

    row: int
    key: str
    agreement: str
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


@dataclass(frozen=True)
class AgreementFiles:
    """The content of the three files."""

    agreements: tuple[Agreement, ...]
    promises: tuple[Promise, ...]
    accounts: tuple[Accounts, Accounts, Accounts]
    #: The latest entry date of any row.
    written_on: dt.date | None = None


def read_developer_agreements(
    agreements: Sequence[Sheet],
    contributions: Sequence[Sheet],
    transactions: Sequence[Sheet],
    *,
    names: tuple[str, str, str],
    known: tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]] = (NONE_KNOWN, NONE_KNOWN, NONE_KNOWN),
) -> AgreementFiles:
    """The agreements, and the promises with their transactions.

    A row that cannot be used is set aside with a reason: one without a key, one whose key another row has, a
    transaction of an unknown promise. A promise of an unknown agreement is kept, with a remark. Raises `UnableToRead`
    if a file is not the expected one.
    """
    tables = find_tables(
        (
            Part(agreements, names[0], AGREEMENTS, "the list of developer agreements", known[0]),
            Part(contributions, names[1], CONTRIBUTIONS, "the list of contributions", known[1]),
            Part(transactions, names[2], TRANSACTIONS, "the list of transactions", known[2]),
        )
    )
    first, second, third = (
        Accounts(name, replace(table.about, file=place))
        for place, (table, name) in enumerate(zip(tables, names, strict=True))
    )
    accounts = first, second, third
    for table, account in zip(tables, accounts, strict=True):
        _note_oddities(table, account)
    found = _agreements(tables[0], accounts[0])
    promises = _promises(tables[1], accounts[1], {agreement.key for agreement in found})
    moved = _movements(tables[2], accounts[2], {promise.key for promise in promises})
    with_movements = tuple(
        replace(
            promise,
            movements=tuple(sorted(moved.get(promise.key, ()), key=lambda one: (one.on or dt.date.min, one.row))),
        )
        for promise in promises
    )
    written = [day for table in tables for line in table if (day := _entry(line)) is not None]
    return AgreementFiles(found, with_movements, accounts, max(written, default=None))


def _entry(line: Line) -> dt.date | None:
    try:
        return full_date(line["entry"])
    except Unreadable:
        return None


def _note_oddities(table: Table, account: Accounts) -> None:
    """Report rows above the heading, and values in columns without one."""
    for remark in table.remarks:
        account.remarks.append(f"{account.file}: {remark}")
    for row in table.above:
        words = "; ".join(text(cell) for cell in row.cells if text(cell))
        account.remark(row.number, f"above the heading, not a record: “{words[:120]}”.")
    for place in table.nameless:
        for row in table.rows:
            if place <= len(row.cells) and text(row.cells[place - 1]):
                account.remark(
                    row.number, f"“{text(row.cells[place - 1])[:80]}” is in column {place}, which has no heading."
                )


def _keyed(line: Line, seen: dict[str, int], account: Accounts) -> str:
    key = line.text("key")
    if not key:
        account.aside(line, "it has no key.", "Fill in its reference.")
    elif key in seen:
        account.aside(line, f"“{key}” is already in row {seen[key]}.", "Correct or remove one of the two.")
        return ""
    else:
        seen[key] = line.number
        account.read += 1
    return key


def _number(line: Line, column: str, account: Accounts) -> Decimal | None:
    """An amount or quantity; a remark is added for values that are not plain numbers."""
    cell = line[column]
    try:
        value = amount(cell)
    except Unreadable:
        account.remark(
            line.number, f"the {column} “{line.text(column)}” cannot be read as a number: treated as not given."
        )
        return None
    if value is not None and isinstance(cell, str) and not re.fullmatch(r"-?\d+(\.\d+)?", text(cell)):
        account.remark(line.number, f"the {column} “{text(cell)}” was read as {value}.")
    if value is not None and value < 0:
        account.remark(line.number, f"the {column} {value} is negative: treated as not given.")
        return None
    return value


def _day(line: Line, column: str, account: Accounts) -> dt.date | None:
    try:
        return full_date(line[column])
    except Unreadable:
        if not is_nothing(line[column]):
            account.remark(
                line.number, f"the {column} date “{line.text(column)}” cannot be read: treated as not given."
            )
        return None


def _agreements(table: Table, account: Accounts) -> tuple[Agreement, ...]:
    seen: dict[str, int] = {}
    found = []
    for line in table:
        key = _keyed(line, seen, account)
        if not key:
            continue
        given = line.text("type")
        kind = _type(given)
        if given and kind is None:
            account.remark(line.number, f"“{given}” is not one of the usual types: kept as written.")
        found.append(
            Agreement(
                row=line.number,
                key=key,
                kind=kind or given.casefold() or "type not given",
                application=line.text("application"),
                url=line.text("url") if line.text("url").startswith("http") else "",
                organisation=line.text("organisation"),
                agreed_on=_day(line, "start", account) or _day(line, "entry", account),
                ended_on=_day(line, "end", account),
                cells=cells_of(line, "developer-agreement", AGREEMENTS),
            )
        )
    return tuple(found)


def _type(given: str) -> str | None:
    bare = re.sub(r"[^a-z0-9]", "", given.casefold())
    return next((kind for kind, pattern in _TYPES if re.fullmatch(pattern, bare)), None)


def _promises(table: Table, account: Accounts, agreements: set[str]) -> list[Promise]:
    seen: dict[str, int] = {}
    found = []
    for line in table:
        key = _keyed(line, seen, account)
        if not key:
            continue
        agreement = line.text("agreement")
        if agreement not in agreements:
            account.remark(
                line.number, f"the agreement “{agreement}” is not in the file of agreements: kept without an agreement."
            )
            agreement = ""
        found.append(
            Promise(
                row=line.number,
                key=key,
                agreement=agreement,
                purpose=_purpose(line.text("purpose")),
                amount=_number(line, "amount", account),
                units=_number(line, "units", account),
                organisation=line.text("organisation"),
                agreed_on=_day(line, "start", account) or _day(line, "entry", account),
                ended_on=_day(line, "end", account),
                notes=line.text("notes"),
                cells=cells_of(line, "developer-agreement-contribution", CONTRIBUTIONS),
            )
        )
    return found


def _purpose(given: str) -> str:
    words = " ".join(given.replace("-", " ").replace("_", " ").split())
    return words if any(letter.isalpha() for letter in words) else "purpose not given"


def _movements(table: Table, account: Accounts, promises: set[str]) -> dict[str, list[Movement]]:
    seen: Counter[str] = Counter()
    found: dict[str, list[Movement]] = {}
    for line in table:
        key, promise = line.text("key"), line.text("contribution")
        if promise not in promises:
            account.aside(
                line,
                f"the contribution “{promise}” is not in the file of contributions.",
                "Correct the reference, or add the contribution.",
            )
            continue
        seen[key] += 1
        if not key or seen[key] > 1:
            account.remark(line.number, f"the key “{key}” is missing or used twice: kept as a separate transaction.")
        given = line.text("status")
        status = re.split(r"[^a-z]", given.casefold(), maxsplit=1)[0]
        if status not in STATUSES:
            account.remark(
                line.number,
                f"“{given}” is not a known funding status." if given else "it has no funding status.",
            )
            status = ""
        account.read += 1
        found.setdefault(promise, []).append(
            Movement(
                row=line.number,
                key=key,
                status=status,
                amount=_number(line, "amount", account),
                units=_number(line, "units", account),
                on=_day(line, "start", account) or _day(line, "entry", account),
                ended_on=_day(line, "end", account),
                notes=line.text("notes"),
                cells=cells_of(line, "developer-agreement-transaction", TRANSACTIONS),
            )
        )
    return found
