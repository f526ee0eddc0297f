"""Queries of pages whose SQL is composed once a process.

Composing a query takes Django several times as long as reading its rows. While a page is made, the function that
composes a query gets stand-ins for the reader's ids, which no row has. Its SQL is kept, and the ids of each reader are
put in. Outside a page, and where the SQL cannot be kept, the query is composed each time.

A function that composes belongs to a module and depends on nothing but its arguments and the day. They are

* the reader (User): only the id, the kind of account, and what `visible_to` and `organisations_of` ask may be used;
  for visitors the query is composed each time;
* ids (int, or a list of them), moments (datetime) and words (str), which may only become values in the SQL, words also
  as what a text contains;
* named arguments, which become part of the key.

`tests/support/kept_statements.py` compares each statement of each page in the tests with the one composed for the
reader.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, Prefetch, Q, QuerySet, Value
from django.utils import timezone

from partnerships.kit.database import IdArray, rows_of
from partnerships.organisations.holdings import (
    CannotStandIn,
    StandIns,
    is_remembering,
    of_page,
    records_held,
    standing_in,
)
from partnerships.organisations.models import Membership
from partnerships.people.models import User

T = TypeVar("T")
#: What stand-ins take the place of.
Given: TypeAlias = User | AnonymousUser | int | list[int] | dt.datetime | str

#: The first stand-in; others are below it. No row has such an id.
_FIRST = -9_007_199_254_740_000
#: Microseconds of stand-ins for moments: the first one given, the second, and so on.
_MARKS = range(987_650, 987_655)
#: Stands for words: a character for private use, which no form takes, and the place among what is given.
_WORDS = "\ue000{}\ue001"
#: Kept statements by key. Some keys include the day, so all are dropped when there are too many.
_kept: dict[Hashable, _Variants] = {}
_MAX_KEPT = 1_000


def rows_for(compose: Callable[..., QuerySet[Any, T]], *given: Given, **named: Hashable) -> list[T]:
    """The rows of the query that `compose(*given, **named)` makes."""
    ready = _ready(compose, given, named)
    return list(compose(*given, **named)) if ready is None else ready.rows()


def count_for(compose: Callable[..., QuerySet[Any, Any]], *given: Given, **named: Hashable) -> int:
    """The number of rows of the query that `compose(*given, **named)` makes."""
    ready = _ready(compose, given, named)
    return compose(*given, **named).count() if ready is None else ready.count()


#: Rows about a record, by its id and without rights.
RowsAbout: TypeAlias = Callable[[int], QuerySet[Any, Any]]


def with_rows(record: int, *many: RowsAbout) -> set[RowsAbout]:
    """Those of these functions that give a row about the record, in one query.

    For pages with many parts that most records lack: what has no row need not be asked for with its rights.
    """
    return {many[place] for place in rows_for(_first_rows, record, many=many)} if many else set()


def _first_rows(record: int, *, many: Sequence[RowsAbout]) -> QuerySet[Any, int]:
    parts: list[QuerySet[Any, Any]] = [
        rows(record).order_by().values_list(Value(place), flat=True)[:1] for place, rows in enumerate(many)
    ]
    return parts[0].union(*parts[1:], all=True)


@dataclass(frozen=True, slots=True)
class _Held:
    """What a stand-in stands for: organisations in some roles or, with a model, the records that they hold."""

    roles: tuple[str, ...]
    model: type[Model] | None = None
    column: str = ""
    condition: Q = field(default_factory=Q)

    def ids(self, user: User) -> list[int]:
        """The ids that this person holds, while a page is made."""
        return of_page((_Held, self, user.pk), partial(self._read, user)) or []

    def _read(self, user: User) -> list[int]:
        acting = Membership.objects.organisations_of
        mine, model = acting(user, *self.roles), self.model
        if model is None:
            return list(mine)
        everywhere = partial(acting, user)
        found = records_held(
            model, self.column, self.condition, person=user.pk, everywhere=everywhere, organisations=mine
        )
        assert found is not None, "Stand-ins exist only for what can be held."
        return found


class _Composing(StandIns):
    """Stand-ins for one reader, while a query is composed."""

    def __init__(self, user: User | None) -> None:
        self.user = user
        self.held: dict[_Held, int] = {}
        self.empty: set[_Held] = set()
        self._roles: dict[int, tuple[str, ...]] = {}

    def organisations(self, person: int | None, roles: tuple[str, ...]) -> list[int]:
        """A stand-in for the reader's organisations in these roles; empty if there are none."""
        if person != _FIRST:
            raise CannotStandIn
        return self._of(_Held(roles))

    def records(self, model: type[Model], column: str, condition: Q, organisations: Sequence[int]) -> list[int]:
        """A stand-in for the records that these organisations hold; empty if there are none."""
        if not organisations:
            return []
        if len(organisations) != 1 or organisations[0] not in self._roles:
            raise CannotStandIn
        return self._of(_Held(self._roles[organisations[0]], model, column, condition))

    def _of(self, held: _Held) -> list[int]:
        if held not in self.held:
            stand_in = self.held[held] = _FIRST - 1_000 - len(self.held)
            if held.model is None:
                self._roles[stand_in] = held.roles
            with standing_in(None):
                if self.user is None or not held.ids(self.user):
                    self.empty.add(held)
        return [] if held in self.empty else [self.held[held]]


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL in pieces, between them the parameters, and the query that reads its rows. None if it has no rows."""

    pieces: tuple[str, ...]
    params: tuple[Any, ...]
    rows: QuerySet[Any, Any] | None
    compiler: Any
    #: What the stand-ins stand for.
    held: dict[int, _Held]
    moments: tuple[dt.datetime, ...]
    began: dt.datetime
    ended: dt.datetime


@dataclass(slots=True)
class _Variants:
    """The statements of one key, by which of the things held were none."""

    held: tuple[_Held, ...] = ()
    statements: dict[tuple[bool, ...], _Statement | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement with the values of one reader."""

    statement: _Statement
    sql: str
    values: tuple[Any, ...]

    def rows(self) -> list[Any]:
        """Its rows, as the composed query would give them."""
        if self.statement.rows is None:
            return []
        compiler = copy.copy(self.statement.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (self.sql, self.values)
        rows = self.statement.rows._chain()  # type: ignore[attr-defined]  # Django's own way to copy a queryset
        rows._query = copy.copy(rows.query)
        rows._query.get_compiler = lambda *_, **__: compiler
        return list(rows)

    def count(self) -> int:
        """The number of its rows."""
        if self.statement.rows is None:
            return 0
        return int(rows_of(f"SELECT COUNT(*) FROM ({self.sql}) found", self.values)[0][0])  # noqa: S608  # our SQL


def _ready(
    compose: Callable[..., QuerySet[Any, Any]], given: Sequence[Given], named: dict[str, Hashable]
) -> _Ready | None:
    """The statement for this reader; None where it must be composed."""
    user = next((one for one in given if isinstance(one, User)), None)
    if not is_remembering() or (user is not None and not user.is_active):
        return None
    if any(isinstance(one, AnonymousUser) for one in given):
        return None
    now, key = timezone.now(), _key(compose, given, named)
    variants = _kept.get(key)
    if variants is None:
        if len(_kept) >= _MAX_KEPT:
            _kept.clear()
        variants = _kept[key] = _Variants()
    held = _held_by(user, variants)
    shape = tuple(bool(ids) for ids in held.values())
    if shape not in variants.statements:
        composing = _Composing(user)
        statement = _composed(composing, compose, given, named)
        more = tuple(one for one in composing.held if one not in held)
        if more:
            # Another reader was not asked for as much: from now on, the statement depends on this too.
            variants.held, variants.statements = (*variants.held, *more), {}
            held = _held_by(user, variants)
            shape = tuple(bool(ids) for ids in held.values())
        variants.statements[shape] = statement
    found = variants.statements[shape]
    return None if found is None else _filled(found, given, held, now)


def _held_by(user: User | None, variants: _Variants) -> dict[_Held, list[int]]:
    return {one: one.ids(user) for one in variants.held} if user is not None else {}


def _key(compose: Callable[..., Any], given: Sequence[Given], named: dict[str, Hashable]) -> Hashable:
    """Everything on which the SQL depends, other than what stand-ins stand for."""
    return (
        compose,
        tuple(_kind(one) for one in given),
        tuple(sorted(named.items())),
        timezone.localdate(),
        timezone.get_current_timezone_name(),
    )


def _kind(given: Given) -> Hashable:
    match given:
        case User():
            return given.is_staff, given.is_superuser, given.is_stakeholder
        case dt.datetime():
            return timezone.localdate(given)
        case list():
            return bool(given)
    return None


def _composed(
    composing: _Composing,
    compose: Callable[..., QuerySet[Any, Any]],
    given: Sequence[Given],
    named: dict[str, Hashable],
) -> _Statement | None:
    """The statement with stand-ins; None if it cannot be kept."""
    moments: list[dt.datetime] = []
    stand_ins: list[Any] = []
    for place, one in enumerate(given):
        number = _FIRST - 1 - place
        match one:
            case User():
                reader = copy.copy(one)
                reader.pk = _FIRST
                stand_ins.append(reader)
            case dt.datetime():
                moments.append(one.replace(microsecond=_MARKS[len(moments)]))
                stand_ins.append(moments[-1])
            case list():
                stand_ins.append([number] if one else [])
            case str():
                stand_ins.append(_WORDS.format(place))
            case _:
                stand_ins.append(number)
    began = timezone.now()
    try:
        with standing_in(composing):
            rows = compose(*stand_ins, **named)
            compiler = rows.query.get_compiler(connection=connection)
            sql, params = compiler.as_sql()
    except CannotStandIn:
        return None
    except EmptyResultSet:
        sql, params, rows, compiler = "", (), None, None
    statement = _Statement(
        tuple(sql.split("%s")),
        tuple(params),
        rows,
        compiler,
        {number: held for held, number in composing.held.items()},
        tuple(moments),
        began,
        timezone.now(),
    )
    return statement if _can_keep(statement) else None


def _can_keep(statement: _Statement) -> bool:
    """Whether every value is a stand-in or the same for everybody."""
    rows: Any = statement.rows
    # Related managers bring records along, and prefetched querysets may have conditions of their own.
    if rows is not None and (
        rows._known_related_objects or not all(_is_for_everybody(one) for one in rows._prefetch_related_lookups)
    ):
        return False
    return len(statement.pieces) == len(statement.params) + 1 and all(
        _is_now(statement, one) or one.microsecond in {0, *_MARKS}
        for one in statement.params
        if isinstance(one, dt.datetime)
    )


def _is_for_everybody(prefetched: str | Prefetch[Any]) -> bool:
    """Whether what is prefetched depends neither on the reader nor on a moment."""
    queryset: Any = None if isinstance(prefetched, str) else prefetched.queryset
    if queryset is None:
        return True
    if not all(_is_for_everybody(one) for one in queryset._prefetch_related_lookups):
        return False
    values = [
        one for value in queryset.query.sql_with_params()[1] for one in (value if isinstance(value, list) else [value])
    ]
    return not any(isinstance(one, dt.datetime) or (type(one) is int and one <= _FIRST) for one in values)


def _is_now(statement: _Statement, moment: dt.datetime) -> bool:
    """Whether a moment was the present one while the statement was composed."""
    return statement.began <= moment <= statement.ended


def _filled(statement: _Statement, given: Sequence[Given], held: dict[_Held, list[int]], now: dt.datetime) -> _Ready:
    """The statement with the values of one reader."""
    real: list[dt.datetime] = []
    words: list[tuple[str, str]] = []
    ids: dict[Any, list[int]] = {}
    for place, one in enumerate(given):
        match one:
            case User():
                ids[_FIRST] = [one.pk]
            case dt.datetime():
                real.append(one)
            case list():
                ids[_FIRST - 1 - place] = one
            case str():
                words.append((_WORDS.format(place), one))
            case int():
                ids[_FIRST - 1 - place] = [one]
    ids |= {number: held[one] for number, one in statement.held.items()}
    sql, values = [statement.pieces[0]], []
    for param, piece in zip(statement.params, statement.pieces[1:], strict=True):
        kind, own = type(param), [param]
        if kind is int and param in ids:
            own = ids[param]
        elif words and kind is str:
            own = [_with_words(param, words)]
        elif isinstance(param, list) and any(one in ids for one in param):
            # Mostly one stand-in for all that is held, whose array is written once for a page.
            own = [IdArray.of(ids[param[0]] if len(param) == 1 else _in_place(param, ids))]
        elif kind is dt.datetime and _is_now(statement, param):
            own = [now]
        elif kind is dt.datetime and param.microsecond in _MARKS:
            place = param.microsecond - _MARKS[0]
            own = [param + (real[place] - statement.moments[place])]
        sql += (", ".join(["%s"] * len(own)), piece)
        values += own
    return _Ready(statement, "".join(sql), tuple(values))


def _in_place(param: list[Any], ids: dict[Any, list[int]]) -> list[Any]:
    """A list with ids in place of its stand-ins."""
    return [pk for one in param for pk in ids.get(one, (one,))]


def _with_words(value: str, words: Sequence[tuple[str, str]]) -> str:
    """A value with words in place of their stand-ins, escaped where they are part of a pattern."""
    for stand_in, word in words:
        if value == stand_in:
            return word
        if stand_in in value:
            value = value.replace(stand_in, connection.ops.prep_for_like_query(word))
    return value
