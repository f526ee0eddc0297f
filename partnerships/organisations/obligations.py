"""What an organisation holds; every room registers its kinds.

Used when a body ends or hands functions on, and when two records of one body become one. Every column that names an
organisation is an obligation, follows its body, or stays as history.
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
    """Something else was chosen, a reason is missing, or the row cannot name the other organisation."""


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that an organisation holds: what lists and totals show.

    `outside` stands for the title for those who may not read the record, such as a successor before the day and an
    administrator, and in handover lines, which outlive an account. It has no words of the record.
    """

    pk: int
    title: str
    path: str = ""
    what: str = ""
    homes: Decimal | None = None
    money: Decimal | None = None
    outside: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Moving:
    """From which organisation to which, why, who by and when.

    `succession` (id) if one passes it on.
    """

    source: Organisation
    target: Organisation
    reason: str
    author: User | None
    now: dt.datetime
    succession: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One changed row: its values before and after.

    None after if it was deleted.
    """

    table: str
    row: int
    before: dict[str, Any]
    after: dict[str, Any]


def kept_value(value: Any) -> Any:
    """The value as changes keep it, in JSON; dates as text that the database reads."""
    return value.isoformat() if isinstance(value, dt.date) else value


@dataclass(frozen=True, slots=True)
class Column:
    """A column that names an organisation.

    `label` is "app.Model.field". `record` is the lookup from its row to the record of its kind. `locked` says which
    rows cannot name the organisation with this id, such as a commitment whose other side it is. `stays` says which
    nobody may change any more, such as those of an agreed record: they neither pass nor pass back. `ending` gives the
    values that end a row whose place the other organisation holds already; `dropping` deletes it, for rows that cannot
    end, such as a side in a conversation, and `forgetting` names what of it is not kept for putting it back (personal
    data). Without either such a row stays as it is. `uniting` gives what changes then in the other organisation's row,
    such as a stronger role; it gets both rows. `only` says which rows pass with an obligation; the others are history.
    """

    label: str
    record: str = "pk"
    only: Q | None = None
    locked: Callable[[int], Q] | None = None
    stays: Q | None = None
    ending: Callable[[Moving], dict[str, Any]] | None = None
    dropping: bool = False
    forgetting: tuple[str, ...] = ()
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
    """A kind of thing that an organisation holds until another takes it over.

    `records` finds what the organisation holds on a day; `describe` says what lists show of one. `columns` pass to
    the other organisation, for these records only. `target` is the kind under which the activity log knows a record
    (empty: no line in the log, as for private notes), and `within` what it belongs to. `move` takes the place of
    `columns` when a body ends, for what ends there and begins again, such as memberships.
    """

    code: str
    label: str
    columns: tuple[Column, ...]
    records: Callable[[Organisation, dt.date], QuerySet[Any]]
    describe: Callable[[Any, Organisation], Held]
    target: str = ""
    within: Callable[[Any], tuple[str, int | None]] = lambda _: ("", None)
    move: Callable[[Sequence[Any], Moving], list[Change]] | None = None

    def held(self, organisation: Organisation, day: dt.date) -> list[Held]:
        """What the organisation holds on the day, oldest first."""
        return [self.describe(record, organisation) for record in self.records(organisation, day).order_by("pk")]


#: Settles what cannot stay as it is once records (ids) of a kind have passed; returns what it changed.
Settling = Callable[[Collection[int], Moving], list[Change]]

#: Told what undoing a succession changed, each row from its values before undoing to those that it has again.
PuttingBack = Callable[[Sequence[Change], dt.datetime], None]

_kinds: dict[str, Obligation] = {}
_settling: dict[str, list[Settling]] = {}
_putting_back: list[PuttingBack] = []
_following: dict[str, Column] = {}
_staying: dict[str, str] = {}
_signing: list[str] = []


def register_obligation(kind: Obligation) -> None:
    """Register a kind under its code."""
    _kinds[kind.code] = kind


def register_settling(code: str, settling: Settling) -> None:
    """Register what happens after records of a kind have passed, such as an ask that would ask its own side."""
    if settling not in _settling.setdefault(code, []):
        _settling[code].append(settling)


def settle(kind: Obligation, records: Collection[int], moving: Moving) -> list[Change]:
    """Settle records of a kind that have passed; returns what changed."""
    return [change for settling in _settling.get(kind.code, ()) for change in settling(records, moving)]


def register_putting_back(putting_back: PuttingBack) -> None:
    """Register what a room does once undoing a succession has put its rows back, such as lines in the journal."""
    if putting_back not in _putting_back:
        _putting_back.append(putting_back)


def tell_put_back(changes: Sequence[Change], now: dt.datetime) -> None:
    """Tell every room what undoing a succession changed."""
    for putting_back in _putting_back:
        putting_back(changes, now)


def register_following(*columns: Column | str) -> None:
    """Register columns that stay with a body that ends.

    They pass on only if two records of one body become one: its names, and who wrote what.
    """
    for column in columns:
        column_known = Column(column) if isinstance(column, str) else column
        _following[column_known.label] = column_known


def register_staying(because: str, *labels: str) -> None:
    """Register columns that always keep the record that they name."""
    _staying.update(dict.fromkeys(labels, because))


def register_signing(*kinds: str) -> None:
    """Register events by which an organisation signs in its own name.

    Signatures never pass to a successor.
    """
    _signing.extend(kinds)


def signing() -> tuple[str, ...]:
    """The registered kinds of event by which organisations sign."""
    return tuple(_signing)


def obligations() -> tuple[Obligation, ...]:
    """Every registered kind, by label."""
    return tuple(sorted(_kinds.values(), key=lambda kind: kind.label))


def obligation(code: str) -> Obligation:
    """The kind with this code. Raises `UnableToMove` if there is none."""
    if code not in _kinds:
        raise UnableToMove("Choose what to hand over.")
    return _kinds[code]


def following() -> tuple[Column, ...]:
    """The columns that pass on only with the whole body, by label."""
    return tuple(_following[label] for label in sorted(_following))


def all_columns() -> list[Column]:
    """The columns of every kind, and those that pass on only with the whole body."""
    return [*(column for kind in obligations() for column in kind.columns), *following()]


def registered_columns() -> dict[str, str]:
    """Every registered column, with what happens to it."""
    columns = dict.fromkeys(_following, "follows") | dict.fromkeys(_staying, "stays")
    return columns | {column.label: kind.code for kind in _kinds.values() for column in kind.columns}


@dataclass(frozen=True, slots=True)
class Group:
    """What an organisation holds of one kind."""

    kind: Obligation
    things: Sequence[Held]

    @property
    def homes(self) -> Decimal:
        """How many homes they are about together."""
        return total(thing.homes for thing in self.things)

    @property
    def money(self) -> Decimal:
        """How many pounds they are about together."""
        return total(thing.money for thing in self.things)


def total(amounts: Iterable[Decimal | None]) -> Decimal:
    """The sum of the amounts that are known."""
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def held_by(organisation: Organisation, day: dt.date, codes: Collection[str] | None = None) -> list[Group]:
    """What the organisation holds on the day, by kind; no empty kinds."""
    kinds = [kind for kind in obligations() if codes is None or kind.code in codes]
    codes_held = _codes_held(kinds, organisation, day)
    groups = (Group(kind, kind.held(organisation, day)) for kind in kinds if kind.code in codes_held)
    return [group for group in groups if group.things]


def _codes_held(kinds: Sequence[Obligation], organisation: Organisation, day: dt.date) -> set[str]:
    """The codes of the kinds that it holds something of.

    One query, because most kinds are empty.
    """
    parts = [
        kind.records(organisation, day)
        .order_by()
        .annotate(held_code=Value(kind.code, output_field=TextField()))
        .values_list("held_code", flat=True)[:1]
        for kind in kinds
    ]
    return set(parts[0].union(*parts[1:], all=True)) if parts else set()
