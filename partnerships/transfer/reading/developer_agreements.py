"""Read the three files of developer agreements. Every row is either read, or set aside with a reason."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.transfer.reading.accounts import FileAccounts, RowAccounts
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
from partnerships.transfer.reading.standard_cells import cells_by_field, lines_from_cells
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import Unreadable, amount, full_date, is_nothing, text

#: The platform's three types (developer-agreement-type.csv) and authorities' own words for them.
_TYPES = (
    ("section 106", r"s(ection)?106.*"),
    ("section 278", r"s(ection)?278.*"),
    ("community infrastructure levy", r"cil|communityinfrastructurelevy"),
)
STATUSES = ("secured", "received", "allocated", "spent", "transferred", "returned")
_ADD_ORGANISATION = "Fill in the organisation, to show which authority is meant."

#: The number of a saved row in its file, and its texts by field.
SavedRow: TypeAlias = tuple[int, Mapping[str, str]]
#: Returns the rows of a dataset, saved by earlier imports, that have one of these values in a field.
Recall: TypeAlias = Callable[[str, str, Collection[str]], Sequence[SavedRow]]


def no_saved_rows(dataset: str, field: str, values: Collection[str]) -> Sequence[SavedRow]:
    """Return no saved rows, which is the default of `read_developer_agreements`."""
    return ()


@dataclass(frozen=True)
class AgreementFiles:
    """The agreements and contributions of the three files, and how many rows of each file were read."""

    agreements: tuple[Agreement, ...]
    promises: tuple[Promise, ...]
    accounts: FileAccounts
    #: The latest entry date of any row.
    written_on: dt.date | None = None


def read_developer_agreements(
    agreements: Sequence[Sheet],
    contributions: Sequence[Sheet],
    transactions: Sequence[Sheet],
    *,
    names: tuple[str, str, str],
    known_headings: Sequence[Mapping[str, str]] = (NONE_KNOWN, NONE_KNOWN, NONE_KNOWN),
    recall: Recall = no_saved_rows,
) -> AgreementFiles:
    """Return the agreements, and the contributions with their transactions.

    Rows that cannot be used are set aside: those without a key, with the key of another row of their authority, and
    transactions of unknown contributions. Corrected rows may be uploaded without the other files; their transactions
    may belong to contributions of earlier imports, which `recall` finds. Raises `UnableToRead` if a file is not the
    expected one.
    """
    tables = _find_three_tables((agreements, contributions, transactions), names, known_headings)
    agreement_table, contribution_table, transaction_table = tables
    accounts = FileAccounts(
        *(
            RowAccounts(name, replace(table.list_file, file=file_index))
            for file_index, (table, name) in enumerate(zip(tables, names, strict=True))
        )
    )
    for table, account in zip(tables, accounts, strict=True):
        _remark_on_unread_cells(table, account)

    agreements_read = _read_agreements(agreement_table, accounts.agreements)
    promises = _read_promises(contribution_table, accounts.contributions, agreements_read)
    transaction_lines = list(transaction_table)
    recalled_promises: list[Promise] = []
    if transaction_table.list_file.is_corrected:
        recalled_promises = _recalled_promises(recall, transaction_lines, promises, agreements_read)

    all_promises = [*promises, *recalled_promises]

    # Transactions of this file, and of earlier files if rows were corrected.
    movements = _read_movements(transaction_lines, accounts.transactions, all_promises)
    saved_rows: Sequence[SavedRow] = ()
    # Without a file of transactions, all transactions of the corrected contributions were read before.
    promise_keys = {promise.key for promise in (recalled_promises if transactions else promises)}
    if promise_keys and any(table.list_file.is_corrected for table in tables):
        saved_rows = recall(TRANSACTION.code, CONTRIBUTION.code, promise_keys)
    for promise_index, movement in _recalled_movements(saved_rows, transaction_lines, all_promises):
        movements.setdefault(promise_index, []).append(movement)

    entry_dates = [_entry_date(line) for table in tables for line in table]
    return AgreementFiles(
        agreements=agreements_read,
        promises=_with_movements(all_promises, movements),
        accounts=accounts,
        written_on=max((day for day in entry_dates if day is not None), default=None),
    )


def _find_three_tables(
    sheets: tuple[Sequence[Sheet], Sequence[Sheet], Sequence[Sheet]],
    names: tuple[str, str, str],
    known_headings: Sequence[Mapping[str, str]],
) -> tuple[Table, ...]:
    """Return the tables of agreements, contributions and transactions. Raises `UnableToRead`."""
    descriptions = (
        "the list of developer agreements",
        "the list of contributions",
        "the list of transactions",
    )
    parts = [
        Part(
            sheets=sheets[index],
            name=names[index],
            columns=columns,
            description=descriptions[index],
            known_headings=known_headings[index],
        )
        for index, columns in enumerate((AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS))
    ]
    return tuple(find_tables(tuple(parts)))


def _recalled_promises(
    recall: Recall, transactions: Sequence[Line], promises: Sequence[Promise], agreements: Sequence[Agreement]
) -> list[Promise]:
    """Return the contributions, saved by earlier imports, of transactions whose contribution is not in these files."""
    missing_keys = {line.text("contribution") for line in transactions} - {promise.key for promise in promises}
    lines = lines_from_cells(recall(CONTRIBUTION.code, "reference", missing_keys), CONTRIBUTION.code, CONTRIBUTIONS)
    # Their rows are in no file of this import, so nothing is reported about them.
    ignored_account = RowAccounts("", ListFile())
    return [replace(promise, is_recalled=True) for promise in _read_promises(lines, ignored_account, agreements)]


def _with_movements(
    promises: Sequence[Promise], movements_by_promise: Mapping[int, Sequence[Movement]]
) -> tuple[Promise, ...]:
    """Return the promises with their movements by date, without recalled promises that have no new movement.

    `movements_by_promise` is keyed by the index of the promise.
    """
    with_movements = []
    for index, promise in enumerate(promises):
        movements = movements_by_promise.get(index, ())
        if promise.is_recalled and all(movement.is_recalled for movement in movements):
            continue
        sorted_movements = sorted(movements, key=lambda movement: (movement.on or dt.date.min, movement.row))
        with_movements.append(replace(promise, movements=tuple(sorted_movements)))
    return tuple(with_movements)


def _entry_date(line: Line) -> dt.date | None:
    """Return the entry date of a row, or None if the cell is blank or cannot be read."""
    try:
        return full_date(line["entry"])
    except Unreadable:
        return None


def _remark_on_unread_cells(table: Table, account: RowAccounts) -> None:
    """Add remarks on rows above the heading, and on values in columns that have no heading."""
    for remark in table.remarks:
        account.remarks.append(f"{account.file}: {remark}")
    for row in table.rows_above:
        row_text = "; ".join(text(cell) for cell in row.cells if text(cell))
        account.remark(row.number, f"left out, because it is above the heading: “{row_text[:120]}”.")
    for column_number in table.unnamed_columns:
        for row in table.rows:
            cell = row.cells[column_number - 1] if column_number <= len(row.cells) else None
            if text(cell):
                account.remark(row.number, f"“{text(cell)[:80]}” is in column {column_number}, which has no heading.")


def _read_key(line: Line, row_by_key: dict[tuple[str, str], int], account: RowAccounts) -> str:
    """Return the key of a row, which is unique within an authority, or "" if the row was set aside.

    `row_by_key` has the rows of earlier keys. This key is added to it.
    """
    key = line.text("key")
    if not key:
        account.aside(line, "the row has no reference.", "Enter the reference.")
        return ""
    first_row = row_by_key.setdefault((authority_key(line.text("organisation")), key), line.number)
    if first_row != line.number:
        account.aside(line, f"“{key}” is already in row {first_row}.", "Correct or remove one of the two.")
        return ""
    account.read += 1
    return key


def _number(line: Line, column: str, account: RowAccounts) -> Decimal | None:
    """Return an amount or quantity. If it is negative or cannot be read, add a remark and return None.

    An unusual spelling, such as “£1,000”, is read and gets a remark.
    """
    cell = line[column]
    try:
        value = amount(cell)
    except Unreadable:
        account.remark(line.number, f"the {column} “{line.text(column)}” is not a number, so we treated it as blank.")
        return None
    if value is not None and isinstance(cell, str) and not re.fullmatch(r"-?\d+(\.\d+)?", text(cell)):
        account.remark(line.number, f"the {column} “{text(cell)}” was read as {value}.")
    if value is not None and value < 0:
        account.remark(line.number, f"the {column} {value} is negative, so we treated it as blank.")
        return None
    return value


def _day(line: Line, column: str, account: RowAccounts) -> dt.date | None:
    """Return the date in a cell. If it cannot be read, add a remark and return None."""
    try:
        return full_date(line[column])
    except Unreadable:
        if not is_nothing(line[column]):
            account.remark(line.number, f"the {column} “{line.text(column)}” is not a date, so we treated it as blank.")
        return None


def _read_agreements(table: Table, account: RowAccounts) -> tuple[Agreement, ...]:
    """Return the agreements of the table. An unknown type is used as written, with a remark."""
    row_by_key: dict[tuple[str, str], int] = {}
    agreements = []
    for line in table:
        key = _read_key(line, row_by_key, account)
        if not key:
            continue

        type_cell = line.text("type")
        kind = _known_type(type_cell)
        if type_cell and kind is None:
            account.remark(line.number, f"“{type_cell}” is not one of the usual types, so we kept it as written.")
        agreements.append(
            Agreement(
                row=line.number,
                key=key,
                kind=kind or type_cell.casefold() or "type not given",
                application=line.text("application"),
                url=line.text("url") if line.text("url").startswith("http") else "",
                organisation=line.text("organisation"),
                agreed_on=_day(line, "start", account) or _day(line, "entry", account),
                ended_on=_day(line, "end", account),
                cells=cells_by_field(line, AGREEMENT.code, AGREEMENTS),
            )
        )
    return tuple(agreements)


def _known_type(cell: str) -> str | None:
    """Return the platform's word for a type of agreement, or None if the type is unknown."""
    plain = re.sub(r"[^a-z0-9]", "", cell.casefold())
    return next((kind for kind, pattern in _TYPES if re.fullmatch(pattern, plain)), None)


def _read_promises(lines: Iterable[Line], account: RowAccounts, agreements: Sequence[Agreement]) -> list[Promise]:
    """Return the contributions. Rows that may mean agreements of several authorities are set aside."""
    row_by_key: dict[tuple[str, str], int] = {}
    agreement_rows = ByReference((agreement.key, agreement.organisation, agreement.row) for agreement in agreements)
    promises = []
    for line in lines:
        agreement = line.text("agreement")
        matching_rows = agreement_rows.find(agreement, line.text("organisation"))
        if len(matching_rows) > 1:
            problem = f"agreements of several authorities have the reference “{agreement}”."
            account.aside(line, problem, _ADD_ORGANISATION)
            continue

        key = _read_key(line, row_by_key, account)
        if not key:
            continue

        promises.append(
            Promise(
                row=line.number,
                key=key,
                agreement=agreement,
                agreement_row=matching_rows[0] if matching_rows else None,
                purpose=_purpose(line.text("purpose")),
                amount=_number(line, "amount", account),
                units=_number(line, "units", account),
                organisation=line.text("organisation"),
                agreed_on=_day(line, "start", account) or _day(line, "entry", account),
                ended_on=_day(line, "end", account),
                notes=line.text("notes"),
                cells=cells_by_field(line, CONTRIBUTION.code, CONTRIBUTIONS),
            )
        )
    return promises


def _purpose(cell: str) -> str:
    """Return the purpose of a contribution with spaces between its words."""
    words = " ".join(cell.replace("-", " ").replace("_", " ").split())
    return words if any(character.isalpha() for character in words) else "purpose not given"


def _read_movements(
    lines: Iterable[Line], account: RowAccounts, promises: Sequence[Promise]
) -> dict[int, list[Movement]]:
    """Return the transactions by the index of their promise. Rows without exactly one promise are set aside."""
    promise_indexes = ByReference((promise.key, promise.organisation, index) for index, promise in enumerate(promises))
    count_by_key: Counter[tuple[str, str]] = Counter()
    movements: dict[int, list[Movement]] = {}
    for line in lines:
        key, authority = line.text("key"), line.text("organisation")
        matching_indexes = promise_indexes.find(line.text("contribution"), authority)
        problem = _problem_with_promise(line, [promises[index] for index in matching_indexes])
        if problem is not None:
            account.aside(line, *problem)
            continue
        count_by_key[authority_key(authority), key] += 1
        if not key or count_by_key[authority_key(authority), key] > 1:
            account.remark(line.number, f"the key “{key}” is missing or used twice, so we kept a separate transaction.")
        account.read += 1
        movements.setdefault(matching_indexes[0], []).append(_movement(line, key, account))
    return movements


def _problem_with_promise(line: Line, promises: Sequence[Promise]) -> tuple[str, str] | None:
    """Return the problem and the remedy of a transaction that may belong to these promises, or None if it is usable."""
    reference, authority = line.text("contribution"), line.text("organisation")
    if not promises:
        fault = f"the contribution “{reference}” is not in the file of contributions."
        return fault, "Correct the reference, or add the contribution."
    if len(promises) > 1:
        return f"contributions of several authorities have the reference “{reference}”.", _ADD_ORGANISATION
    promise = promises[0]
    if promise.is_recalled and _is_of_other_authority(authority, promise):
        fault = f"the contribution “{reference}” was imported before for {promise.organisation}, not for {authority}."
        return fault, "Correct the reference or the organisation."
    return None


def _is_of_other_authority(authority: str, promise: Promise) -> bool:
    """Return whether the row and the contribution name different authorities."""
    return bool(authority and promise.organisation) and authority_key(authority) != authority_key(promise.organisation)


def _movement(line: Line, key: str, account: RowAccounts) -> Movement:
    """Return the transaction in a row. An unknown funding status becomes "", with a remark."""
    status_cell = line.text("status")
    status = re.split(r"[^a-z]", status_cell.casefold(), maxsplit=1)[0]
    if status not in STATUSES:
        unknown_status = f"“{status_cell}” is not a known funding status."
        remark = unknown_status if status_cell else "the contribution has no funding status."
        account.remark(line.number, remark)
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
        cells=cells_by_field(line, TRANSACTION.code, TRANSACTIONS),
    )


def _recalled_movements(
    saved_rows: Sequence[SavedRow], transactions: Sequence[Line], promises: Sequence[Promise]
) -> Iterator[tuple[int, Movement]]:
    """Yield the index of the promise and the transaction, for saved transactions that are not in the file.

    A saved transaction is in the file if a row there has the same key or the same cells.
    """
    index_by_promise = {
        (promise.key, authority_key(promise.organisation)): index for index, promise in enumerate(promises)
    }
    # Rows of the file have their remarks already, and saved rows need none.
    ignored_account = RowAccounts("", ListFile())
    movements_in_file = [_movement(line, line.text("key"), ignored_account) for line in transactions]
    keys_in_file = {movement.key for movement in movements_in_file if movement.key}
    cells_in_file = [movement.cells for movement in movements_in_file]
    for line in lines_from_cells(saved_rows, TRANSACTION.code, TRANSACTIONS):
        movement = replace(_movement(line, line.text("key"), ignored_account), is_recalled=True)
        index = index_by_promise.get((line.text("contribution"), authority_key(line.text("organisation"))))
        if index is not None and movement.key not in keys_in_file and movement.cells not in cells_in_file:
            yield index, movement
