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
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, Prefetch, Q, QuerySet, Value
from django.utils import timezone

from partnerships.kit.database import rows_of
from partnerships.organisations.filling import (
    FIRST,
    MARKS,
    Given,
    Held,
    Ready,
    Statement,
    id_at,
    is_planned_for_each_reader,
    words_at,
)
from partnerships.organisations.holdings import (
    CannotStandIn,
    StandIns,
    is_remembering,
    page_memory,
    stand_ins,
    standing_in,
)
from partnerships.organisations.together import Row, rows_together
from partnerships.people.models import User

T = TypeVar("T")
#: Kept statements by key. Some keys include the day, so all are dropped when there are too many.
_kept: dict[Hashable, _Variants] = {}
_MAX_KEPT = 1_000
#: Where a page remembers what was read ahead.
_AHEAD = "read ahead"
#: What headers of pages ask, and where a page remembers that it was read.
_on_every_page: list[Callable[[User], Lookup]] = []
_EVERY_PAGE = "read for every page"
#: Counts the rows of a statement.
_COUNT = "SELECT COUNT(*) FROM ({}) found"


def rows_for(compose: Callable[..., QuerySet[Any, T]], *given: Given, **named: Hashable) -> list[T]:
    """The rows of the query that `compose(*given, **named)` makes."""
    read = _read(Lookup(compose, given, named))
    if read is not None:
        ready, rows = read
        return ready.rows(rows)
    statement = _ready(compose, given, named)
    return list(compose(*given, **named)) if statement is None else statement.rows()


def count_for(compose: Callable[..., QuerySet[Any, Any]], *given: Given, **named: Hashable) -> int:
    """The number of rows of the query that `compose(*given, **named)` makes."""
    read = _read(Lookup(compose, given, named, counts=True))
    if read is not None:
        return int(read[1][0][0])
    ready = _ready(compose, given, named)
    if ready is None:
        return compose(*given, **named).count()
    return 0 if ready.statement.rows is None else int(rows_of(*replace(ready, around=_COUNT).asked())[0][0])


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a page asks `rows_for` or, with `counts`, `count_for`."""

    compose: Callable[..., QuerySet[Any, Any]]
    given: tuple[Given, ...]
    named: dict[str, Hashable]
    counts: bool = False

    def key(self) -> Hashable:
        """Equal for the same question on one page."""
        values = (
            argument.pk if isinstance(argument, User) else tuple(argument) if isinstance(argument, list) else argument
            for argument in self.given
        )
        return self.compose, tuple(values), tuple(sorted(self.named.items())), self.counts


def lookup(compose: Callable[..., QuerySet[Any, Any]], *given: Given, **named: Hashable) -> Lookup:
    """What `rows_for` is going to be asked, with the same arguments."""
    return Lookup(compose, given, named)


def count_lookup(compose: Callable[..., QuerySet[Any, Any]], *given: Given, **named: Hashable) -> Lookup:
    """What `count_for` is going to be asked, with the same arguments."""
    return Lookup(compose, given, named, counts=True)


def read_ahead(lookups: Iterable[Lookup]) -> None:
    """Read in one query what the page is going to ask.

    Each answer is given once.

    Nothing depends on it: what was not read ahead is read when it is asked for.
    """
    page, ahead = page_memory(), _ahead()
    if page is None or ahead is None:
        return
    ready, questions = [], list(lookups)
    user = next((given for question in questions for given in question.given if isinstance(given, User)), None)
    if user is not None and not page.get(_EVERY_PAGE):
        page[_EVERY_PAGE] = True
        questions += [make(user) for make in _on_every_page]
    for question in questions:
        statement = _ready(question.compose, question.given, question.named)
        if statement is not None and statement.statement.rows is not None:
            ready.append((question.key(), replace(statement, around=_COUNT) if question.counts else statement))
    if len(ready) > 1:
        for (key, own), rows in zip(ready, rows_together([own for _, own in ready]), strict=True):
            ahead[key] = own, rows


def look_up_on_every_page(make: Callable[[User], Lookup]) -> None:
    """Read with the first things that a page reads ahead what its header asks, at start-up."""
    _on_every_page.append(make)


def _ahead() -> dict[Hashable, tuple[Ready, list[Row]]] | None:
    """What was read ahead for this page and not asked for yet.

    None outside of one.
    """
    page = page_memory()
    return None if page is None else page.setdefault(_AHEAD, {})


def _read(question: Lookup) -> tuple[Ready, list[Row]] | None:
    """What was read ahead for this question."""
    ahead = _ahead()
    return ahead.pop(question.key(), None) if ahead else None


#: Rows about a record, by its id and without rights.
RowsAbout: TypeAlias = Callable[[int], QuerySet[Any, Any]]


def with_rows(record: int, *many: RowsAbout) -> set[RowsAbout]:
    """The functions that give a row about the record, found in one query.

    For pages with many parts that most records lack: what has no row need not be asked for with its rights.
    """
    return {many[place] for place in rows_for(_first_rows, record, many=many)} if many else set()


def rows_lookup(record: int, *many: RowsAbout) -> Lookup:
    """What `with_rows` is going to be asked, with the same arguments."""
    return lookup(_first_rows, record, many=many)


def _first_rows(record: int, *, many: Sequence[RowsAbout]) -> QuerySet[Any, int]:
    parts: list[QuerySet[Any, Any]] = [
        rows(record).order_by().values_list(Value(place), flat=True)[:1] for place, rows in enumerate(many)
    ]
    return parts[0].union(*parts[1:], all=True)


class _Composing(StandIns):
    """Stand-ins for one reader, while a query is composed."""

    def __init__(self, user: User | None) -> None:
        self.user = user
        self.held: dict[Held, int] = {}
        self.empty: set[Held] = set()
        self._roles: dict[int, tuple[str, ...]] = {}

    def organisations(self, person: int | None, roles: tuple[str, ...]) -> list[int]:
        """A stand-in for the reader's organisations in these roles.

        Empty if there are none.
        """
        if person != FIRST:
            raise CannotStandIn
        return self._of(Held(roles))

    def records(self, model: type[Model], column: str, condition: Q, organisations: Sequence[int]) -> list[int]:
        """A stand-in for the records that these organisations hold.

        Empty if there are none.
        """
        if not organisations:
            return []
        if len(organisations) != 1 or organisations[0] not in self._roles:
            raise CannotStandIn
        return self._of(Held(self._roles[organisations[0]], model, column, condition))

    def _of(self, held: Held) -> list[int]:
        if held not in self.held:
            stand_in = self.held[held] = FIRST - 1_000 - len(self.held)
            if held.model is None:
                self._roles[stand_in] = held.roles
            with standing_in(None):
                if self.user is None or not held.ids(self.user):
                    self.empty.add(held)
        return [] if held in self.empty else [self.held[held]]


@dataclass(slots=True)
class _Variants:
    """The statements of one key, by which of the things held were none."""

    held: tuple[Held, ...] = ()
    statements: dict[tuple[bool, ...], Statement | None] = field(default_factory=dict)


def _ready(
    compose: Callable[..., QuerySet[Any, Any]], arguments: Sequence[Given], parameters: dict[str, Hashable]
) -> Ready | None:
    """The statement for this reader; None where it must be composed."""
    user = next((argument for argument in arguments if isinstance(argument, User)), None)
    if not is_remembering() or (user is not None and not user.is_active):
        return None
    if any(isinstance(argument, AnonymousUser) for argument in arguments):
        return None
    now, key = timezone.now(), _key(compose, arguments, parameters)
    variants = _kept.get(key)
    if variants is None:
        if len(_kept) >= _MAX_KEPT:
            _kept.clear()
        variants = _kept[key] = _Variants()
    held = _held_by(user, variants)
    shape = tuple(bool(ids) for ids in held.values())
    if shape not in variants.statements:
        composing = _Composing(user)
        statement = _composed(composing, compose, arguments, parameters)
        more = tuple(one for one in composing.held if one not in held)
        if more:
            # Another reader was not asked for as much: from now on, the statement depends on this too.
            variants.held, variants.statements = (*variants.held, *more), {}
            held = _held_by(user, variants)
            shape = tuple(bool(ids) for ids in held.values())
        variants.statements[shape] = statement
    kept_statement = variants.statements[shape]
    return None if kept_statement is None else Ready(kept_statement, arguments, held, now)


def _held_by(user: User | None, variants: _Variants) -> dict[Held, list[int]]:
    return {one: one.ids(user) for one in variants.held} if user is not None else {}


def _key(compose: Callable[..., Any], arguments: Sequence[Given], parameters: dict[str, Hashable]) -> Hashable:
    """Everything on which the SQL depends, other than what stand-ins stand for."""
    return (
        compose,
        tuple(_kind(argument) for argument in arguments),
        tuple(sorted(parameters.items())),
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
    arguments: Sequence[Given],
    parameters: dict[str, Hashable],
) -> Statement | None:
    """The statement with stand-ins; None if it cannot be kept."""
    moments: list[dt.datetime] = []
    standing: list[Any] = []
    for place, one in enumerate(arguments):
        match one:
            case User():
                reader = copy.copy(one)
                reader.pk = FIRST
                standing.append(reader)
            case dt.datetime():
                moments.append(one.replace(microsecond=MARKS[len(moments)]))
                standing.append(moments[-1])
            case list():
                standing.append([id_at(place)] if one else [])
            case str():
                standing.append(words_at(place))
            case _:
                standing.append(id_at(place))
    began = timezone.now()
    try:
        with standing_in(composing), connection.execute_wrapper(_refuse):
            rows = compose(*standing, **parameters)
            compiler = rows.query.get_compiler(connection=connection)
            sql, params = compiler.as_sql()
    except CannotStandIn:
        return None
    except EmptyResultSet:
        sql, params, rows, compiler = "", (), None, None
    statement = Statement(
        pieces=tuple(sql.split("%s")),
        params=tuple(params),
        rows=rows,
        compiler=compiler,
        held={number: held for held, number in composing.held.items()},
        several=frozenset(composing.held.values())
        | {id_at(place) for place, one in enumerate(arguments) if isinstance(one, list)},
        words=frozenset(words_at(place) for place, one in enumerate(arguments) if isinstance(one, str)),
        moments=tuple(moments),
        began=began,
        ended=timezone.now(),
        is_planned_each_time=is_planned_for_each_reader(compose),
    )
    return statement if _can_keep(statement) else None


def _refuse(execute: Callable[..., Any], *asked: Any) -> Any:
    """Raises `CannotStandIn`: what a query finds for a stand-in is nobody's.

    What is really held may be read.
    """
    if stand_ins() is not None:
        raise CannotStandIn
    return execute(*asked)


def _can_keep(statement: Statement) -> bool:
    """Whether every value is a stand-in or the same for everybody."""
    rows: Any = statement.rows
    # Related managers bring records along, and prefetched querysets may have conditions of their own.
    if rows is not None and (
        rows._known_related_objects
        or not all(
            _is_for_everybody(prefetch_related_lookup) for prefetch_related_lookup in rows._prefetch_related_lookups
        )
    ):
        return False
    return len(statement.pieces) == len(statement.params) + 1 and all(
        statement.is_now(param) or param.microsecond in {0, *MARKS}
        for param in statement.params
        if isinstance(param, dt.datetime)
    )


def _is_for_everybody(prefetched: str | Prefetch[Any]) -> bool:
    """Whether what is prefetched depends neither on the reader nor on a moment."""
    queryset: Any = None if isinstance(prefetched, str) else prefetched.queryset
    if queryset is None:
        return True
    if not all(_is_for_everybody(item) for item in queryset._prefetch_related_lookups):
        return False
    values = [
        item
        for value in queryset.query.sql_with_params()[1]
        for item in (value if isinstance(value, list) else [value])
    ]
    return not any(isinstance(item, dt.datetime) or (type(item) is int and item <= FIRST) for item in values)
