"""The register of what organisations hold and can pass to others; every room adds its kinds.

It is used when an organisation ends or hands over functions, and when two records of one organisation are merged. Every
column that refers to an organisation belongs to an obligation, follows the organisation, or stays as history.
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
from partnerships.people.models import User


class UnableToMove(Exception):
    """There is no such kind of thing, a reason is missing, or the row cannot refer to the other organisation."""


@dataclass(frozen=True, slots=True)
class Held:
    """A thing that an organisation holds, as lists and totals show it."""

    pk: int
    title: str
    path: str = ""
    what: str = ""
    homes: Decimal | None = None
    money: Decimal | None = None
    #: The title for those who may not read the record, for example a successor before the vesting day, and in handover
    #: lines, which stay when a person is erased. It repeats nothing from the record.
    outside: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Moving:
    """A move of things from one organisation to another, with its reason, author and time."""

    source: Organisation
    target: Organisation
    reason: str
    author: User | None
    now: dt.datetime
    #: The id of the succession that causes it; None for a merge.
    succession: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A changed row, with the values of the changed fields before and after; `after` is empty if it was deleted."""

    table: str
    row: int
    before: dict[str, Any]
    after: dict[str, Any]


def kept_value(value: Any) -> Any:
    """Return the value as a change stores it in JSON: dates as text that the database can read."""
    return value.isoformat() if isinstance(value, dt.date) else value


@dataclass(frozen=True, slots=True)
class Column:
    """A column that refers to an organisation, and how its rows move to another one.

    If the other organisation already has a row in the place of one that should move, that row is ended (`ending`) or
    deleted (`dropping`); without either it stays as it is.
    """

    #: The field, as "app.Model.field".
    label: str
    #: The lookup from a row to the record of the obligation.
    record: str = "pk"
    #: The rows that move with an obligation; the others are history.
    only: Q | None = None
    #: Returns which rows cannot refer to the organisation with an id, for example a commitment whose other side it is.
    locked: Callable[[int], Q] | None = None
    #: The rows that nobody may change any more, for example those of an agreed record: they never move.
    stays: Q | None = None
    #: Returns the values that end a row.
    ending: Callable[[Moving], dict[str, Any]] | None = None
    #: Whether the row is deleted instead, because it cannot end: for example, a side in a conversation.
    dropping: bool = False
    #: The fields of a deleted row that are not stored for restoring it, because they hold personal data.
    forgetting: tuple[str, ...] = ()
    #: Returns what changes in the other organisation's row, for example to the stronger role; it is given both rows.
    uniting: Callable[[Any, Any], dict[str, Any]] | None = None

    @property
    def model(self) -> type[Model]:
        """The model of its rows."""
        return apps.get_model(self.label.rpartition(".")[0])

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.label.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Obligation:
    """A kind of thing that an organisation holds until another one takes it over."""

    code: str
    label: str
    #: The columns that move to the other organisation with these records.
    columns: tuple[Column, ...]
    #: Returns the records that the organisation holds on a day.
    records: Callable[[Organisation, dt.date], QuerySet[Any]]
    #: Returns what lists show of a record.
    describe: Callable[[Any, Organisation], Held]
    #: The kind of record in the activity log; "" for no event, as for private notes.
    target: str = ""
    #: Returns the kind and id of what a record belongs to, for its event.
    within: Callable[[Any], tuple[str, int | None]] = lambda _: ("", None)
    #: Moves the records instead of `columns` when an organisation ends, for what ends and starts again: memberships.
    move: Callable[[Sequence[Any], Moving], list[Change]] | None = None

    def held(self, organisation: Organisation, day: dt.date) -> list[Held]:
        """Return the things that the organisation holds on a day, the oldest first."""
        return [self.describe(record, organisation) for record in self.records(organisation, day).order_by("pk")]


#: Changes what cannot stay as it is once the records with these ids have moved, and returns the changes.
Settling = Callable[[Collection[int], Moving], list[Change]]

#: Called with the changes that undoing a succession made.
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


def register_settling(code: str, settling: Settling) -> None:
    """Register what happens after records of a kind have moved, for example to an ask that would be to its own side."""
    if settling not in _settling.setdefault(code, []):
        _settling[code].append(settling)


def settle(kind: Obligation, records: Collection[int], moving: Moving) -> list[Change]:
    """Change what cannot stay as it is once records of a kind have moved, and return the changes."""
    changes: list[Change] = []
    for settling in _settling.get(kind.code, ()):
        changes += settling(records, moving)
    return changes


def register_putting_back(putting_back: PuttingBack) -> None:
    """Register a function that a room needs called when undoing a succession has restored rows."""
    if putting_back not in _putting_back:
        _putting_back.append(putting_back)


def tell_put_back(changes: Sequence[Change], now: dt.datetime) -> None:
    """Call the rooms' registered functions with the changes that undoing a succession made."""
    for putting_back in _putting_back:
        putting_back(changes, now)


def register_following(*columns: Column | str) -> None:
    """Register columns that stay with an organisation that ends, and move only in a merge: its names, for example."""
    for column_or_label in columns:
        column = Column(column_or_label) if isinstance(column_or_label, str) else column_or_label
        _following[column.label] = column


def register_staying(because: str, *labels: str) -> None:
    """Register columns that always refer to the same organisation, with the reason."""
    _staying.update(dict.fromkeys(labels, because))


def register_signing(*kinds: str) -> None:
    """Register kinds of events by which an organisation signs, because signatures never pass to a successor."""
    _signing.extend(kinds)


def signing() -> tuple[str, ...]:
    """Return the registered kinds of events by which organisations sign."""
    return tuple(_signing)


def obligations() -> tuple[Obligation, ...]:
    """Return every registered kind of obligation, by label."""
    return tuple(sorted(_kinds.values(), key=lambda kind: kind.label))


def obligation(code: str) -> Obligation:
    """Return the kind with this code. Raises `UnableToMove` if there is none."""
    if code not in _kinds:
        raise UnableToMove("Choose what to hand over.")
    return _kinds[code]


def following() -> tuple[Column, ...]:
    """Return the columns that move only in a merge, by label."""
    return tuple(_following[label] for label in sorted(_following))


def all_columns() -> list[Column]:
    """Return the columns of every kind of obligation, and those that move only in a merge."""
    return [*(column for kind in obligations() for column in kind.columns), *following()]


def registered_columns() -> dict[str, str]:
    """Return every registered column, with what happens to it."""
    columns = dict.fromkeys(_following, "follows") | dict.fromkeys(_staying, "stays")
    return columns | {column.label: kind.code for kind in _kinds.values() for column in kind.columns}


@dataclass(frozen=True, slots=True)
class Group:
    """The things of one kind that an organisation holds."""

    kind: Obligation
    things: Sequence[Held]

    @property
    def homes(self) -> Decimal:
        """The number of homes in these things."""
        return total(thing.homes for thing in self.things)

    @property
    def money(self) -> Decimal:
        """The amount of money in these things, in pounds."""
        return total(thing.money for thing in self.things)


def total(amounts: Iterable[Decimal | None]) -> Decimal:
    """Return the sum of the amounts that are known."""
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def held_by(organisation: Organisation, day: dt.date, codes: Collection[str] | None = None) -> list[Group]:
    """Return the things that the organisation holds on a day, by kind, without empty kinds."""
    kinds = [kind for kind in obligations() if codes is None or kind.code in codes]
    held_codes = _held_codes(kinds, organisation, day)
    groups = (Group(kind, kind.held(organisation, day)) for kind in kinds if kind.code in held_codes)
    return [group for group in groups if group.things]


def _held_codes(kinds: Sequence[Obligation], organisation: Organisation, day: dt.date) -> set[str]:
    """Return the codes of the kinds that it holds anything of, in one query because most kinds are empty."""
    code_queries = [
        kind.records(organisation, day)
        .order_by()
        .annotate(held_code=Value(kind.code, output_field=TextField()))
        .values_list("held_code", flat=True)[:1]
        for kind in kinds
    ]
    if not code_queries:
        return set()
    first, *others = code_queries
    return set(first.union(*others, all=True))
