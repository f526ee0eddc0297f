"""The register of the kinds of record that organisations can pass to each other, such as commitments and plans.

Every room adds its kinds. The register is used when an organisation ends or hands over functions, and when two records
of one organisation are merged. It says for every column that refers to an organisation what happens to it then:

* it passes to the successor with an obligation, for example the giver of a commitment;
* it follows the organisation in a merge only, for example its names;
* it never changes, for example the organisation of a signature.
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
    """A record that an organisation has, as lists and totals show it."""

    pk: int
    title: str
    path: str = ""
    what: str = ""
    homes: Decimal | None = None
    money: Decimal | None = None
    #: A title such as "Plan 12", which repeats nothing from the record. It is for people who may not read the record,
    #: and for handover lines, which are stored even after a person is erased.
    outside: str = field(kw_only=True)


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

    The other organisation may have an equivalent row already, for example a part in the same partnership. The moving
    row is then ended (`ending`) or deleted (`dropping`). Without either of these, it does not change.
    """

    #: The field, as "app.Model.field".
    label: str
    #: The lookup path from a row to the record of the obligation.
    record: str = "pk"
    #: The rows that move with an obligation. The other rows are history and do not move.
    only: Q | None = None
    #: Returns the condition for rows that cannot refer to the organisation with this id, for example a commitment in
    #: which this organisation is the other side.
    locked: Callable[[int], Q] | None = None
    #: Rows that nobody may change any more and that therefore never move, for example rows of an agreed record.
    stays: Q | None = None
    #: Returns the values that end a row.
    ending: Callable[[RecordMove], dict[str, Any]] | None = None
    #: True if the row is deleted because it cannot end, for example a side in a conversation.
    dropping: bool = False
    #: The fields of a deleted row that are not stored to restore the row, because they contain personal data.
    forgetting: tuple[str, ...] = ()
    #: Receives the ending row and the other organisation's row, and returns the new values of the latter, for example
    #: the stronger role.
    uniting: Callable[[Any, Any], dict[str, Any]] | None = None

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
    """A kind of record that an organisation has until another organisation takes it over."""

    code: str
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


#: A function that makes the changes that are necessary once the records with these ids have moved, and returns them.
Settling = Callable[[Collection[int], RecordMove], list[Change]]

#: A function that is called with the changes that were made to undo a succession.
PuttingBack = Callable[[Sequence[Change], dt.datetime], None]

_kinds: dict[str, Obligation] = {}
_settling: dict[str, list[Settling]] = {}
_putting_back: list[PuttingBack] = []
_following: dict[str, Column] = {}
_staying: dict[str, str] = {}
_signing: list[str] = []


def register_obligation(kind: Obligation) -> None:
    """Register a kind of obligation under its code."""
    _kinds[kind.code] = kind


def register_settler(code: str, settling: Settling) -> None:
    """Register a function that makes necessary changes after records of a kind have moved.

    For example, an ask must be withdrawn if it would be addressed to the organisation that makes it.
    """
    if settling not in _settling.setdefault(code, []):
        _settling[code].append(settling)


def settle_moved_records(kind: Obligation, record_ids: Collection[int], move: RecordMove) -> list[Change]:
    """Make the changes that are necessary after records of a kind have moved, and return them."""
    changes: list[Change] = []
    for settling in _settling.get(kind.code, ()):
        changes += settling(record_ids, move)
    return changes


def register_restore_hook(putting_back: PuttingBack) -> None:
    """Register a function that is called after rows were restored to undo a succession."""
    if putting_back not in _putting_back:
        _putting_back.append(putting_back)


def run_restore_hooks(changes: Sequence[Change], now: dt.datetime) -> None:
    """Call the rooms' registered functions with the changes that were made to undo a succession."""
    for putting_back in _putting_back:
        putting_back(changes, now)


def register_following_columns(*columns: Column | str) -> None:
    """Register columns that move only in a merge and not when the organisation ends, for example its names."""
    for column_or_label in columns:
        column = Column(column_or_label) if isinstance(column_or_label, str) else column_or_label
        _following[column.label] = column


def register_staying_columns(reason: str, *labels: str) -> None:
    """Register columns that always refer to the same organisation, with the reason."""
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
