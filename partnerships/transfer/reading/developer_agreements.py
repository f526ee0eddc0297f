"""Reading the three files of developer agreements.

Every row is read or set aside with a reason.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.transfer.reading.accounts import Accounts
from partnerships.transfer.reading.agreement_rows import (
    AGREEMENTS,
    CONTRIBUTIONS,
    TRANSACTIONS,
    Agreement,
    Movement,
    Promise,
)
from partnerships.transfer.reading.by_reference import ByReference, authority_key
from partnerships.transfer.reading.headings import NONE_KNOWN, Line, Table
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.several_files import Part, find_tables
from partnerships.transfer.reading.standard_cells import cells_of, lines_of
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import Unreadable, amount, full_date, is_nothing, text

#: The platform's three types (developer-agreement-type.csv) and authorities' own words for them.
_TYPES = (
    ("section 106", r"s(ection)?106.*"),
    ("section 278", r"s(ection)?278.*"),
    ("community infrastructure levy", r"cil|communityinfrastructurelevy"),
)
STATUSES = ("secured", "received", "allocated", "spent", "transferred", "returned")


#: Rows that were read before, as numbers in their files and texts by field: of a dataset of the standard, those that
#: have one of these values in a field.
Recall: TypeAlias = Callable[[str, str, Collection[str]], Sequence[tuple[int, Mapping[str, str]]]]


def recall_nothing(dataset: str, column: str, values: Collection[str]) -> Sequence[tuple[int, Mapping[str, str]]]:
    """No rows."""
    return ()


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
    recall: Recall = recall_nothing,
) -> AgreementFiles:
    """The agreements, and the promises with their transactions.

    A row that cannot be used is set aside with a reason: one without a key, one whose key another row of its authority
    has, a transaction of an unknown promise. Rows that were set aside and corrected may come without the other files,
    and transactions of them may name promises that were read before (`recall`). Raises `UnableToRead` if a file is not
    the expected one.
    """
    tables = find_tables(
        (
            Part(
                sheets=agreements,
                name=names[0],
                columns=AGREEMENTS,
                what="the list of developer agreements",
                known=known[0],
            ),
            Part(
                sheets=contributions,
                name=names[1],
                columns=CONTRIBUTIONS,
                what="the list of contributions",
                known=known[1],
            ),
            Part(
                sheets=transactions,
                name=names[2],
                columns=TRANSACTIONS,
                what="the list of transactions",
                known=known[2],
            ),
        )
    )
    first, second, third = (
        Accounts(name, replace(table.list_file, file=place))
        for place, (table, name) in enumerate(zip(tables, names, strict=True))
    )
    accounts = first, second, third
    for table, account in zip(tables, accounts, strict=True):
        _note_oddities(table, account)
    agreements_read = _agreements(tables[0], first)
    promises = _promises(tables[1], second, agreements_read)
    payments = list(tables[2])
    more = _recalled_promises(recall, payments, promises, agreements_read) if tables[2].list_file.is_corrected else []
    every = [*promises, *more]
    moved = _movements(payments, third, every)
    is_corrected = any(table.list_file.is_corrected for table in tables)
    paid = {promise.key for promise in (more if transactions else promises)}
    kept = recall(TRANSACTION.code, CONTRIBUTION.code, paid) if is_corrected and paid else ()
    for place, movement in _recalled(kept, payments, every):
        moved.setdefault(place, []).append(movement)
    entries = [_entry(line) for table in tables for line in table]
    written_on = max((day for day in entries if day is not None), default=None)
    return AgreementFiles(agreements_read, _with_movements(every, moved), accounts, written_on)


def _recalled_promises(
    recall: Recall, payments: Sequence[Line], promises: Sequence[Promise], agreements: Sequence[Agreement]
) -> list[Promise]:
    """The promises, read before, that payments name and this file of contributions does not have."""
    wanted = {line.text("contribution") for line in payments} - {promise.key for promise in promises}
    rows = lines_of(recall(CONTRIBUTION.code, "reference", wanted), CONTRIBUTION.code, CONTRIBUTIONS)
    unseen = Accounts("", ListFile())
    return [replace(promise, is_recalled=True) for promise in _promises(rows, unseen, agreements)]


def _with_movements(promises: Sequence[Promise], moved: Mapping[int, Sequence[Movement]]) -> tuple[Promise, ...]:
    """The promises with their movements by date, without recalled ones that no new payment names."""
    with_movements = []
    for place, promise in enumerate(promises):
        movements = moved.get(place, ())
        if promise.is_recalled and all(movement.is_recalled for movement in movements):
            continue
        in_order = sorted(movements, key=lambda movement: (movement.on or dt.date.min, movement.row))
        with_movements.append(replace(promise, movements=tuple(in_order)))
    return tuple(with_movements)


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


def _keyed(line: Line, seen: dict[tuple[str, str], int], account: Accounts) -> str:
    """The key of a row; "" if it was set aside.

    References are unique within an authority.
    """
    key = line.text("key")
    whose = authority_key(line.text("organisation")), key
    if not key:
        account.aside(line, "it has no key.", "Fill in its reference.")
    elif whose in seen:
        account.aside(line, f"“{key}” is already in row {seen[whose]}.", "Correct or remove one of the two.")
        return ""
    else:
        seen[whose] = line.number
        account.read += 1
    return key


def _number(line: Line, column: str, account: Accounts) -> Decimal | None:
    """An amount or quantity.

    A remark is added for values that are not plain numbers.
    """
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
    """The agreements.

    A type that is not known is kept as written, with a remark.
    """
    seen: dict[tuple[str, str], int] = {}
    agreements = []
    for line in table:
        key = _keyed(line, seen, account)
        if not key:
            continue
        given = line.text("type")
        kind = _type(given)
        if given and kind is None:
            account.remark(line.number, f"“{given}” is not one of the usual types: kept as written.")
        agreements.append(
            Agreement(
                row=line.number,
                key=key,
                kind=kind or given.casefold() or "type not given",
                application=line.text("application"),
                url=line.text("url") if line.text("url").startswith("http") else "",
                organisation=line.text("organisation"),
                agreed_on=_day(line, "start", account) or _day(line, "entry", account),
                ended_on=_day(line, "end", account),
                cells=cells_of(line, AGREEMENT.code, AGREEMENTS),
            )
        )
    return tuple(agreements)


def _type(given: str) -> str | None:
    bare = re.sub(r"[^a-z0-9]", "", given.casefold())
    return next((kind for kind, pattern in _TYPES if re.fullmatch(pattern, bare)), None)


def _promises(rows: Iterable[Line], account: Accounts, agreements: Sequence[Agreement]) -> list[Promise]:
    """The contributions.

    One that names agreements of several authorities is set aside.
    """
    seen: dict[tuple[str, str], int] = {}
    rows_of = ByReference((agreement.key, agreement.organisation, agreement.row) for agreement in agreements)
    promises = []
    for line in rows:
        agreement = line.text("agreement")
        named = rows_of.find(agreement, line.text("organisation"))
        if len(named) > 1:
            _aside_for_several(line, f"agreements of several authorities have the reference “{agreement}”.", account)
            continue
        key = _keyed(line, seen, account)
        if not key:
            continue
        promises.append(
            Promise(
                row=line.number,
                key=key,
                agreement=agreement,
                agreement_row=named[0] if named else None,
                purpose=_purpose(line.text("purpose")),
                amount=_number(line, "amount", account),
                units=_number(line, "units", account),
                organisation=line.text("organisation"),
                agreed_on=_day(line, "start", account) or _day(line, "entry", account),
                ended_on=_day(line, "end", account),
                notes=line.text("notes"),
                cells=cells_of(line, CONTRIBUTION.code, CONTRIBUTIONS),
            )
        )
    return promises


def _purpose(given: str) -> str:
    words = " ".join(given.replace("-", " ").replace("_", " ").split())
    return words if any(character.isalpha() for character in words) else "purpose not given"


def _aside_for_several(line: Line, found: str, account: Accounts) -> None:
    account.aside(line, found, "Fill in the organisation, so that it is clear which one is meant.")


def _movements(rows: Iterable[Line], account: Accounts, promises: Sequence[Promise]) -> dict[int, list[Movement]]:
    """The transactions by the place of their promise."""
    places = ByReference((one.key, one.organisation, place) for place, one in enumerate(promises))
    seen: Counter[tuple[str, str]] = Counter()
    movements: dict[int, list[Movement]] = {}
    for line in rows:
        key, promise, authority = line.text("key"), line.text("contribution"), line.text("organisation")
        named = places.find(promise, authority)
        if not named:
            account.aside(
                line,
                f"the contribution “{promise}” is not in the file of contributions.",
                "Correct the reference, or add the contribution.",
            )
            continue
        if len(named) > 1:
            _aside_for_several(line, f"contributions of several authorities have the reference “{promise}”.", account)
            continue
        one = promises[named[0]]
        is_anothers = authority and one.organisation and authority_key(authority) != authority_key(one.organisation)
        if one.is_recalled and is_anothers:
            found_here = (
                f"the contribution “{promise}” that was read before is of {one.organisation}, not of {authority}."
            )
            account.aside(line, found_here, "Correct the reference or the organisation.")
            continue
        seen[authority_key(authority), key] += 1
        if not key or seen[authority_key(authority), key] > 1:
            account.remark(line.number, f"the key “{key}” is missing or used twice: kept as a separate transaction.")
        account.read += 1
        movements.setdefault(named[0], []).append(_movement(line, key, account))
    return movements


def _movement(line: Line, key: str, account: Accounts) -> Movement:
    """What happened to a contribution's money or homes.

    An unknown status is left blank.
    """
    given = line.text("status")
    status = re.split(r"[^a-z]", given.casefold(), maxsplit=1)[0]
    if status not in STATUSES:
        account.remark(
            line.number,
            f"“{given}” is not a known funding status." if given else "it has no funding status.",
        )
        status = ""
    return Movement(
        row=line.number,
        key=key,
        status=status,
        amount=_number(line, "amount", account),
        units=_number(line, "units", account),
        on=_day(line, "start", account) or _day(line, "entry", account),
        ended_on=_day(line, "end", account),
        notes=line.text("notes"),
        cells=cells_of(line, TRANSACTION.code, TRANSACTIONS),
    )


def _recalled(
    kept: Sequence[tuple[int, Mapping[str, str]]], payments: Sequence[Line], promises: Sequence[Promise]
) -> Iterator[tuple[int, Movement]]:
    """The transactions that were read before, without those in the file, with the place of their promise.

    Each belongs to a promise of its own authority.
    """
    places = {(one.key, authority_key(one.organisation)): place for place, one in enumerate(promises)}
    unseen = Accounts("", ListFile())
    here = [_movement(line, line.text("key"), unseen) for line in payments]
    keys, cells = {one.key for one in here if one.key}, [one.cells for one in here]
    for line in lines_of(kept, TRANSACTION.code, TRANSACTIONS):
        movement = replace(_movement(line, line.text("key"), unseen), is_recalled=True)
        place = places.get((line.text("contribution"), authority_key(line.text("organisation"))))
        if place is not None and movement.key not in keys and movement.cells not in cells:
            yield place, movement
