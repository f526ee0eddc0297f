"""Run the queries of pages with SQL that Django composes only once in each process.

Django takes several times longer to compose a query than to read its rows. For example, this reads the open asks that
Amina may see, and stores the SQL for later readers::

    rows_for(open_asks, amina, organisation.pk)

While a page is made, the function that composes the query (`open_asks`) receives stand-ins, which are ids that no row
has. Each reader's ids then replace the stand-ins in the stored SQL. Outside a page, and if the SQL cannot be stored,
the query is composed each time.

The function must be defined at module level and depend only on its arguments and the day. Its arguments are

* the reader (User). The function may use only the id, the kind of account, `visible_to` and `organisations_of`. For
  visitors, the query is composed each time;
* ids (int, or a list of ints), moments (datetime) and texts (str). They may only become values in the SQL. Texts may
  also be inside a pattern;
* named arguments. They become part of the key of the stored statement.

Tests compare each statement of each page with the statement composed for the reader
(`tests/support/kept_statements.py`).
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
from django.db.models import Model, Q, QuerySet, Value
from django.http import Http404
from django.utils import timezone

from partnerships.kit.database import rows_of
from partnerships.organisations.combined_queries import Row, rows_in_one_query
from partnerships.organisations.holdings import (
    CannotStandIn,
    StandIns,
    is_page_being_made,
    page_memory,
    stand_ins_in_use,
    using_stand_ins,
)
from partnerships.organisations.stored_statements import (
    MOMENT_MARKS,
    READER_STAND_IN,
    Argument,
    OwnIds,
    ReadyStatement,
    Statement,
    can_be_stored,
    id_stand_in,
    is_planned_for_each_reader,
    text_stand_in,
)
from partnerships.people.models import User

T = TypeVar("T")
#: Stored statements by key. Keys include the day. If there are too many keys, all are dropped.
_kept: dict[Hashable, _Variants] = {}
_MAX_KEPT = 1_000
#: The key in the page's memory for rows that were read ahead.
_AHEAD = "read ahead"
#: Functions that make the lookups of page headers. `_EVERY_PAGE` is the key in the page's memory that says whether
#: these lookups were read.
_on_every_page: list[Callable[[User], Lookup]] = []
_EVERY_PAGE = "read for every page"
#: The wrapper that counts the rows of a statement.
_COUNT = "SELECT COUNT(*) FROM ({}) found"


def rows_for(compose: Callable[..., QuerySet[Any, T]], *arguments: Argument, **named: Hashable) -> list[T]:
    """Return the rows of the query that `compose(*arguments, **named)` makes."""
    rows_read_ahead = _take_read_ahead(Lookup(compose, arguments, named))
    if rows_read_ahead is not None:
        ready, result = rows_read_ahead
        return ready.rows(result)
    ready_now = _ready_statement(compose, arguments, named)
    return list(compose(*arguments, **named)) if ready_now is None else ready_now.rows()


def row_or_404(compose: Callable[..., QuerySet[Any, T]], *arguments: Argument, **named: Hashable) -> T:
    """Return the first row of the query, like `rows_for`; raise `Http404` if it has none."""
    rows = rows_for(compose, *arguments, **named)
    if not rows:
        raise Http404
    return rows[0]


def count_for(compose: Callable[..., QuerySet[Any, Any]], *arguments: Argument, **named: Hashable) -> int:
    """Return the number of rows of the query that `compose(*arguments, **named)` makes."""
    rows_read_ahead = _take_read_ahead(Lookup(compose, arguments, named, counts=True))
    if rows_read_ahead is not None:
        _, result = rows_read_ahead
        return int(result[0][0])
    ready = _ready_statement(compose, arguments, named)
    if ready is None:
        return compose(*arguments, **named).count()
    if ready.statement.rows is None:
        return 0
    count_query = replace(ready, wrapper=_COUNT)
    return int(rows_of(*count_query.sql_and_values())[0][0])


@dataclass(frozen=True, slots=True)
class Lookup:
    """The arguments of a call of `rows_for` or, with `counts`, of `count_for`."""

    compose: Callable[..., QuerySet[Any, Any]]
    arguments: tuple[Argument, ...]
    named: dict[str, Hashable]
    counts: bool = False

    def key(self) -> Hashable:
        """Return a key that is equal for equal calls while a page is made."""
        values = (
            argument.pk if isinstance(argument, User) else tuple(argument) if isinstance(argument, list) else argument
            for argument in self.arguments
        )
        return self.compose, tuple(values), tuple(sorted(self.named.items())), self.counts


def lookup(compose: Callable[..., QuerySet[Any, Any]], *arguments: Argument, **named: Hashable) -> Lookup:
    """Return the lookup that a later `rows_for` with the same arguments needs, for `read_ahead`."""
    return Lookup(compose, arguments, named)


def count_lookup(compose: Callable[..., QuerySet[Any, Any]], *arguments: Argument, **named: Hashable) -> Lookup:
    """Return the lookup that a later `count_for` with the same arguments needs, for `read_ahead`."""
    return Lookup(compose, arguments, named, counts=True)


def read_ahead(lookups: Iterable[Lookup]) -> None:
    """Read the rows of several lookups in one query.

    The next `rows_for` or `count_for` with the same arguments uses these rows; a second call queries again. Reading
    ahead is optional, because a page reads any other rows when it needs them. Rows that were read ahead and not used
    yet are not read again.
    """
    page, rows_read_ahead = page_memory(), _read_ahead_rows()
    if page is None or rows_read_ahead is None:
        return
    all_lookups = list(lookups)
    arguments = [argument for one_lookup in all_lookups for argument in one_lookup.arguments]
    user = next((argument for argument in arguments if isinstance(argument, User)), None)
    if user is not None and not page.get(_EVERY_PAGE):
        page[_EVERY_PAGE] = True
        all_lookups += [make(user) for make in _on_every_page]

    ready_by_key: list[tuple[Hashable, ReadyStatement]] = []
    for one_lookup in all_lookups:
        if one_lookup.key() in rows_read_ahead:
            continue
        ready = _ready_statement(one_lookup.compose, one_lookup.arguments, one_lookup.named)
        if ready is not None and ready.statement.rows is not None:
            ready_by_key.append((one_lookup.key(), replace(ready, wrapper=_COUNT) if one_lookup.counts else ready))
    # Reading a single lookup ahead would save nothing.
    if len(ready_by_key) > 1:
        results = rows_in_one_query([ready for _, ready in ready_by_key])
        for (key, ready), result in zip(ready_by_key, results, strict=True):
            rows_read_ahead[key] = ready, result


def register_lookup_for_every_page(make: Callable[[User], Lookup]) -> None:
    """Register a lookup of page headers, at start-up. It is read together with a page's first lookups."""
    _on_every_page.append(make)


def _read_ahead_rows() -> dict[Hashable, tuple[ReadyStatement, list[Row]]] | None:
    """Return the unused rows that were read ahead for this page, by key; None outside a page."""
    page = page_memory()
    return None if page is None else page.setdefault(_AHEAD, {})


def _take_read_ahead(needed_lookup: Lookup) -> tuple[ReadyStatement, list[Row]] | None:
    """Remove and return the rows that were read ahead for a lookup; None if there are none."""
    rows_read_ahead = _read_ahead_rows()
    return rows_read_ahead.pop(needed_lookup.key(), None) if rows_read_ahead else None


#: A function that returns the rows about the record with this id, regardless of rights.
RowsAbout: TypeAlias = Callable[[int], QuerySet[Any, Any]]


def functions_with_rows(record: int, *many: RowsAbout) -> set[RowsAbout]:
    """Return those of these functions that have at least one row about the record, in one query.

    Use this for pages with many parts that are usually empty. A part without rows needs no query with the reader's
    rights.
    """
    return {many[index] for index in rows_for(_indexes_with_row, record, many=many)} if many else set()


def rows_lookup(record_id: int, *many: RowsAbout) -> Lookup:
    """Return the lookup that a later `functions_with_rows` with the same arguments needs, for `read_ahead`."""
    return lookup(_indexes_with_row, record_id, many=many)


def _indexes_with_row(record_id: int, *, many: Sequence[RowsAbout]) -> QuerySet[Any, int]:
    first_query, *other_queries = [
        rows(record_id).order_by().values_list(Value(index), flat=True)[:1] for index, rows in enumerate(many)
    ]
    return first_query.union(*other_queries, all=True)


class _ReaderStandIns(StandIns):
    """Provides stand-ins for one reader while a query is composed, and remembers the stand-ins that the query used."""

    def __init__(self, user: User | None) -> None:
        self.user = user
        self.stand_in_by_own_ids: dict[OwnIds, int] = {}
        self._empty: set[OwnIds] = set()
        self._roles_by_stand_in: dict[int, tuple[str, ...]] = {}

    def organisations(self, person_id: int | None, roles: tuple[str, ...]) -> list[int]:
        """Return a stand-in for the reader's organisations in these roles; an empty list if there are none."""
        if person_id != READER_STAND_IN:
            raise CannotStandIn
        return self._stand_in_for(OwnIds(roles))

    def records(self, model: type[Model], column: str, condition: Q, organisation_ids: Sequence[int]) -> list[int]:
        """Return a stand-in for the records that these organisations have; an empty list if they have none."""
        if not organisation_ids:
            return []
        if len(organisation_ids) != 1 or organisation_ids[0] not in self._roles_by_stand_in:
            raise CannotStandIn
        return self._stand_in_for(OwnIds(self._roles_by_stand_in[organisation_ids[0]], model, column, condition))

    def _stand_in_for(self, own_ids: OwnIds) -> list[int]:
        if own_ids not in self.stand_in_by_own_ids:
            # At least 1,000 below the reader's stand-in, so that it differs from the stand-ins for arguments.
            stand_in = READER_STAND_IN - 1_000 - len(self.stand_in_by_own_ids)
            self.stand_in_by_own_ids[own_ids] = stand_in
            if own_ids.model is None:
                self._roles_by_stand_in[stand_in] = own_ids.roles
            with using_stand_ins(None):
                if self.user is None or not own_ids.ids_for(self.user):
                    self._empty.add(own_ids)
        return [] if own_ids in self._empty else [self.stand_in_by_own_ids[own_ids]]


@dataclass(slots=True)
class _Variants:
    """The statements of one key. Their SQL differs by which of the reader's own ids are empty.

    For an empty list of ids, Django leaves out the condition or the whole query. A statement is None if its SQL cannot
    be stored.
    """

    own_ids: tuple[OwnIds, ...] = ()
    statement_by_shape: dict[tuple[bool, ...], Statement | None] = field(default_factory=dict)


def _ready_statement(
    compose: Callable[..., QuerySet[Any, Any]], arguments: Sequence[Argument], named: dict[str, Hashable]
) -> ReadyStatement | None:
    """Return the stored statement for this reader, which is composed now if necessary; None if it cannot be stored."""
    user = next((argument for argument in arguments if isinstance(argument, User)), None)
    if not is_page_being_made() or (user is not None and not user.is_active):
        return None
    if any(isinstance(argument, AnonymousUser) for argument in arguments):
        return None

    now, key = timezone.now(), _key(compose, arguments, named)
    variants = _kept.get(key)
    if variants is None:
        if len(_kept) >= _MAX_KEPT:
            _kept.clear()
        variants = _kept[key] = _Variants()

    ids_by_own_ids = _ids_of(user, variants)
    shape = _shape(ids_by_own_ids)
    if shape not in variants.statement_by_shape:
        composing = _ReaderStandIns(user)
        statement = _compose_statement(composing, compose, arguments, named)
        new_own_ids = tuple(own_ids for own_ids in composing.stand_in_by_own_ids if own_ids not in ids_by_own_ids)
        if new_own_ids:
            # Earlier readers' queries needed fewer ids. From now on, the shape depends on the new ids, too.
            variants.own_ids, variants.statement_by_shape = (*variants.own_ids, *new_own_ids), {}
            ids_by_own_ids = _ids_of(user, variants)
            shape = _shape(ids_by_own_ids)
        variants.statement_by_shape[shape] = statement

    stored_statement = variants.statement_by_shape[shape]
    return None if stored_statement is None else ReadyStatement(stored_statement, arguments, ids_by_own_ids, now)


def _ids_of(user: User | None, variants: _Variants) -> dict[OwnIds, list[int]]:
    return {own_ids: own_ids.ids_for(user) for own_ids in variants.own_ids} if user is not None else {}


def _shape(ids_by_own_ids: dict[OwnIds, list[int]]) -> tuple[bool, ...]:
    """Return for each of the reader's own ids whether there are any."""
    return tuple(bool(ids) for ids in ids_by_own_ids.values())


def _key(compose: Callable[..., Any], arguments: Sequence[Argument], named: dict[str, Hashable]) -> Hashable:
    """Return a key of everything on which the SQL depends, except the values that replace stand-ins."""
    return (
        compose,
        tuple(_kind_of(argument) for argument in arguments),
        tuple(sorted(named.items())),
        timezone.localdate(),
        timezone.get_current_timezone_name(),
    )


def _kind_of(argument: Argument) -> Hashable:
    """Return the properties of an argument on which the SQL may depend even though a stand-in replaces the argument."""
    match argument:
        case User():
            return argument.is_staff, argument.is_superuser, argument.is_stakeholder
        case dt.datetime():
            return timezone.localdate(argument)
        case list():
            return bool(argument)
    return None


def _compose_statement(
    composing: _ReaderStandIns,
    compose: Callable[..., QuerySet[Any, Any]],
    arguments: Sequence[Argument],
    named: dict[str, Hashable],
) -> Statement | None:
    """Return the statement, composed with stand-ins; None if it cannot be stored."""
    stand_ins = _argument_stand_ins(arguments)
    list_stand_ins = {
        id_stand_in(position) for position, argument in enumerate(arguments) if isinstance(argument, list)
    }
    text_stand_ins = {
        text_stand_in(position) for position, argument in enumerate(arguments) if isinstance(argument, str)
    }

    began = timezone.now()
    try:
        with using_stand_ins(composing), connection.execute_wrapper(_refuse_query):
            rows = compose(*stand_ins, **named)
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
        own_ids_by_stand_in={stand_in: own_ids for own_ids, stand_in in composing.stand_in_by_own_ids.items()},
        list_stand_ins=frozenset(composing.stand_in_by_own_ids.values()) | list_stand_ins,
        text_stand_ins=frozenset(text_stand_ins),
        moments=tuple(stand_in for stand_in in stand_ins if isinstance(stand_in, dt.datetime)),
        began=began,
        ended=timezone.now(),
        is_planned_each_time=is_planned_for_each_reader(compose),
    )
    return statement if can_be_stored(statement) else None


def _argument_stand_ins(arguments: Sequence[Argument]) -> list[Any]:
    """Return the stand-in for each argument, in the same order."""
    stand_ins: list[Any] = []
    moment_count = 0
    for position, argument in enumerate(arguments):
        match argument:
            case User():
                reader = copy.copy(argument)
                reader.pk = READER_STAND_IN
                stand_ins.append(reader)
            case dt.datetime():
                stand_ins.append(argument.replace(microsecond=MOMENT_MARKS[moment_count]))
                moment_count += 1
            case list():
                # Django composes other SQL for an empty list.
                stand_ins.append([id_stand_in(position)] if argument else [])
            case str():
                stand_ins.append(text_stand_in(position))
            case _:
                stand_ins.append(id_stand_in(position))
    return stand_ins


def _refuse_query(execute: Callable[..., Any], *arguments: Any) -> Any:
    """Raise `CannotStandIn` for a query that runs while another query is composed.

    Its rows would be wrong, because no row has the id of a stand-in. Queries of the reader's own ids may run, because
    they use no stand-ins.
    """
    if stand_ins_in_use() is not None:
        raise CannotStandIn
    return execute(*arguments)
