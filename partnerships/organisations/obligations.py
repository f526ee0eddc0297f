"""What happens to the records of an organisation when it ends and another organisation succeeds it.

The records that pass to the successor, such as commitments and plans, are called obligations. Every room registers its
kinds of obligation here. The register is used when an organisation ends or transfers functions, and when two records of
one organisation are merged. Every column that refers to an organisation is registered in one of three ways:

* It passes to the successor with an obligation, for example the giver of a commitment (`register_obligation`).
* It changes only in a merge, for example the organisation of a former name (`register_following_columns`).
* It never changes, for example the organisation of a signature (`register_staying_columns`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet, TextField, Value

from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User


class UnableToMove(Exception):
    """Raised if the kind does not exist, a reason is missing, or the row cannot refer to the other organisation."""


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """The description of a record that an organisation has, for lists and totals."""

    pk: int
    title: str
    path: str = ""
    #: A short text beside the title, such as the status of a plan or "Chair" for a partnership.
    what: str = ""
    homes: Decimal | None = None
    #: In pounds.
    money: Decimal | None = None
    #: A title such as "Plan 12", which repeats nothing from the record. It is for people who may not read the record,
    #: and for handover lines, which are stored even after a person is erased.
    generic_title: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class RecordMove:
    """A move of records from one organisation (`source`) to another (`target`), with its reason, author and time."""

    source: Organisation
    target: Organisation
    reason: str
    author: User | None
    now: dt.datetime
    #: The id of the succession that causes the move; None for a merge.
    succession: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A changed row, with the changed values before and after. `after` is empty if the row was deleted."""

    table: str
    row: int
    before: dict[str, Any]
    after: dict[str, Any]


def json_value(value: Any) -> Any:
    """Return the value as a `Change` stores it in JSON. Dates become ISO text."""
    return value.isoformat() if isinstance(value, dt.date) else value


@dataclass(frozen=True, slots=True)
class Column:
    """A column that refers to an organisation, and how its rows move to another organisation.

    The other organisation may have an equivalent row already, for example a part in the same partnership. Then the row
    cannot move, because a unique constraint allows only one of them. It is ended if `end_values` is given, and deleted
    if `deletes_duplicate` is true. Otherwise it does not change.
    """

    #: The field, as "app.Model.field".
    label: str
    #: The lookup path from a row to the record of the obligation.
    record: str = "pk"
    #: The rows that move with an obligation. The other rows are history and do not move.
    only: Q | None = None
    #: Returns the condition for rows that cannot refer to the organisation with this id. For example, a commitment that
    #: this organisation receives cannot be given by it too.
    cannot_move_to: Callable[[int], Q] | None = None
    #: Rows that never move because nobody may change them any more, for example rows of an agreed record.
    never_moves: Q | None = None
    #: Returns the new values of a row that ends because the other organisation has an equivalent row.
    end_values: Callable[[RecordMove], dict[str, Any]] | None = None
    #: True if such a row is deleted because it has no values that end it, for example the part of an organisation in a
    #: conversation.
    deletes_duplicate: bool = False
    #: The fields of a deleted row that are not stored to restore the row, because they contain personal data.
    fields_not_stored: tuple[str, ...] = ()
    #: Receives the row that is ended or deleted and the other organisation's row. Returns the new values of the other
    #: organisation's row, for example the stronger role of the two.
    merge_values: Callable[[Any, Any], dict[str, Any]] | None = None

    @property
    def model(self) -> type[Model]:
        """Return the model of the column's rows."""
        return apps.get_model(self.label.rpartition(".")[0])

    @property
    def name(self) -> str:
        """Return the name of the field."""
        return self.label.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Obligation:
    """A kind of record that passes to the successor when an organisation ends."""

    code: str
    #: The heading of these records in lists.
    label: str
    #: The columns that move to the other organisation with these records.
    columns: tuple[Column, ...]
    #: Returns the records that the organisation has on a day.
    records: Callable[[Organisation, dt.date], QuerySet[Any]]
    #: Returns the description of a record for lists.
    describe: Callable[[Any, Organisation], HeldRecord]
    #: The kind of record in the activity log; "" if no event is recorded, as for private notes.
    target: str = ""
    #: Returns the kind and id of the target to which a record belongs, for the record's event.
    within: Callable[[Any], tuple[str, int | None]] = lambda _: ("", None)
    #: Moves the records instead of `columns` when an organisation ends. Memberships need this, because they end and
    #: start again instead of moving.
    move: Callable[[Sequence[Any], RecordMove], list[Change]] | None = None

    def held(self, organisation: Organisation, day: dt.date) -> list[HeldRecord]:
        """Return the descriptions of the records that the organisation has on a day, the oldest first."""
        needed_lookup = self.held_lookup(organisation, day)
        records = rows_for(needed_lookup.compose, *needed_lookup.arguments, **needed_lookup.named)
        return [self.describe(record, organisation) for record in records]

    def held_lookup(self, organisation: Organisation, day: dt.date) -> Lookup:
        """Return the lookup of a later `held` with the same arguments, for `read_ahead`."""
        return lookup(_held_records, organisation.pk, records=self.records, day=day, status=organisation.status)


def _held_records(
    organisation: int, *, records: Callable[[Organisation, dt.date], QuerySet[Any]], day: dt.date, status: str
) -> QuerySet[Any]:
    """Return the records of one kind that the organisation has on a day, the oldest first.

    The records depend only on the organisation's id and status.
    """
    return records(Organisation(pk=organisation, status=status), day).order_by("pk")


#: A function that makes further changes after the records with these ids have moved, and returns the changes.
AfterMove = Callable[[Collection[int], RecordMove], list[Change]]

#: A function that is called with the changes that were made to undo a succession.
RestoreHook = Callable[[Sequence[Change], dt.datetime], None]

_kinds: dict[str, Obligation] = {}
_after_move: dict[str, list[AfterMove]] = {}
_restore_hooks: list[RestoreHook] = []
_following: dict[str, Column] = {}
_staying: dict[str, str] = {}
_signing: list[str] = []


def register_obligation(kind: Obligation) -> None:
    """Register a kind of obligation under its code."""
    _kinds[kind.code] = kind


def register_after_move(code: str, after_move: AfterMove) -> None:
    """Register a function that makes further changes after records of the kind with this code have moved.

    For example, an ask is withdrawn if it would now be addressed to the organisation that makes it.
    """
    if after_move not in _after_move.setdefault(code, []):
        _after_move[code].append(after_move)


def run_after_move(kind: Obligation, record_ids: Collection[int], move: RecordMove) -> list[Change]:
    """Call the functions registered for a kind after its records have moved, and return the changes they made."""
    changes: list[Change] = []
    for after_move in _after_move.get(kind.code, ()):
        changes += after_move(record_ids, move)
    return changes


def register_restore_hook(hook: RestoreHook) -> None:
    """Register a function that is called after rows were restored to undo a succession."""
    if hook not in _restore_hooks:
        _restore_hooks.append(hook)


def run_restore_hooks(changes: Sequence[Change], now: dt.datetime) -> None:
    """Call every registered function with the changes that were made to undo a succession."""
    for hook in _restore_hooks:
        hook(changes, now)


def register_following_columns(*columns: Column | str) -> None:
    """Register columns that change only in a merge, for example the organisation of a former name.

    They do not change when the organisation ends.
    """
    for column_or_label in columns:
        column = Column(column_or_label) if isinstance(column_or_label, str) else column_or_label
        _following[column.label] = column


def register_staying_columns(reason: str, *labels: str) -> None:
    """Register columns that always refer to the same organisation, with the reason.

    For example, a signature always refers to the organisation that signed.
    """
    _staying.update(dict.fromkeys(labels, reason))


def register_signing_events(*kinds: str) -> None:
    """Register kinds of event by which an organisation signs. Signatures never pass to a successor."""
    _signing.extend(kinds)


def signing_event_kinds() -> tuple[str, ...]:
    """Return the registered kinds of event by which organisations sign."""
    return tuple(_signing)


def obligations() -> tuple[Obligation, ...]:
    """Return every registered kind of obligation, sorted by label."""
    return tuple(sorted(_kinds.values(), key=lambda kind: kind.label))


def obligation(code: str) -> Obligation:
    """Return the kind of obligation with this code. Raises `UnableToMove` if the code is not registered."""
    if code not in _kinds:
        raise UnableToMove("Choose what to hand over.")
    return _kinds[code]


def following_columns() -> tuple[Column, ...]:
    """Return the columns that move only in a merge, sorted by label."""
    return tuple(_following[label] for label in sorted(_following))


def all_columns() -> list[Column]:
    """Return the columns of every kind of obligation and the columns that move only in a merge."""
    return [*(column for kind in obligations() for column in kind.columns), *following_columns()]


def registered_columns() -> dict[str, str]:
    """Return what happens to each registered column: "follows", "stays", or the code of its obligation."""
    columns = dict.fromkeys(_following, "follows") | dict.fromkeys(_staying, "stays")
    return columns | {column.label: kind.code for kind in _kinds.values() for column in kind.columns}


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """An organisation's records of one kind."""

    kind: Obligation
    records: Sequence[HeldRecord]

    @property
    def homes(self) -> Decimal:
        """Return the number of homes in these records."""
        return total_of_amounts(record.homes for record in self.records)

    @property
    def money(self) -> Decimal:
        """Return the amount of money in these records, in pounds."""
        return total_of_amounts(record.money for record in self.records)


def total_of_amounts(amounts: Iterable[Decimal | None]) -> Decimal:
    """Return the sum of the amounts that are not None."""
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def held_records_by_kind(
    organisation: Organisation, day: dt.date, codes: Collection[str] | None = None
) -> list[HeldGroup]:
    """Return the records that the organisation has on a day, grouped by kind, without empty kinds."""
    kinds = [kind for kind in obligations() if codes is None or kind.code in codes]
    held_codes = _held_codes(kinds, organisation, day)
    held_kinds = [kind for kind in kinds if kind.code in held_codes]
    read_ahead(kind.held_lookup(organisation, day) for kind in held_kinds)
    groups = (HeldGroup(kind, kind.held(organisation, day)) for kind in held_kinds)
    return [group for group in groups if group.records]


def _held_codes(kinds: Sequence[Obligation], organisation: Organisation, day: dt.date) -> set[str]:
    """Return the codes of the kinds that the organisation has records of.

    One query checks all kinds, because most kinds are empty.
    """
    code_queries = [
        kind.records(organisation, day)
        .order_by()
        .annotate(held_code=Value(kind.code, output_field=TextField()))
        .values_list("held_code", flat=True)[:1]
        for kind in kinds
    ]
    if not code_queries:
        return set()
    first_query, *other_queries = code_queries
    return set(first_query.union(*other_queries, all=True))
