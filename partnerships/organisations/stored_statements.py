"""SQL that Django composes only once, with placeholders that each reader's values replace.

The placeholders are called stand-ins. A stand-in is a value that no row has, for example the id -9007199254740000 for
the reader. It marks a place in the SQL where a reader's own value belongs.

Planning such a statement takes longer than running it. On a direct connection to PostgreSQL, the statement is therefore
planned only once.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeAlias, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import connection, connections
from django.db.models import Model, Prefetch, Q, QuerySet

from partnerships.kit.database import IdArray, numbered, planned_once, with_values
from partnerships.organisations.holdings import held_record_ids, read_once_a_page
from partnerships.organisations.models import Membership
from partnerships.people.models import User

#: An argument of a function that composes a query. While the query is composed, the argument is a stand-in.
Argument: TypeAlias = User | AnonymousUser | int | list[int] | dt.datetime | str

#: The stand-in for the reader's id. Stand-ins for other ids are smaller. No row has any of these ids.
READER_STAND_IN = -9_007_199_254_740_000
#: Microseconds that mark the stand-ins for moments. The first moment among the arguments gets the first number, the
#: second moment gets the second number, and so on.
MOMENT_MARKS = range(987_650, 987_655)
#: The stand-in for a text is the argument's position between two private-use characters, which no form accepts.
_TEXT_STAND_IN = "\ue000{}\ue001"
#: How Django begins a list of values.
_IN = " IN ("


def id_stand_in(position: int) -> int:
    """Return the stand-in for the id in the argument at this position."""
    return READER_STAND_IN - 1 - position


def text_stand_in(position: int) -> str:
    """Return the stand-in for the text in the argument at this position."""
    return _TEXT_STAND_IN.format(position)


@dataclass(frozen=True, slots=True)
class OwnIds:
    """Ids that differ by reader. One stand-in represents all of them in the SQL.

    Without a model, these are the ids of the organisations in which the reader has one of the roles. With a model, they
    are the ids of the records that these organisations have.
    """

    roles: tuple[str, ...]
    model: type[Model] | None = None
    column: str = ""
    condition: Q = field(default_factory=Q)

    def ids_for(self, user: User) -> list[int]:
        """Return this person's ids. They are queried once while a page is made."""
        return read_once_a_page((OwnIds, self, user.pk), partial(self._query, user)) or []

    def _query(self, user: User) -> list[int]:
        organisation_ids = Membership.objects.organisations_of(user, *self.roles)
        if self.model is None:
            return list(organisation_ids)
        record_ids = held_record_ids(
            self.model,
            self.column,
            self.condition,
            person_id=user.pk,
            everywhere=partial(Membership.objects.organisations_of, user),
            organisations=organisation_ids,
        )
        assert record_ids is not None, "Stand-ins exist only for records that organisations can hold."
        return record_ids


@dataclass(frozen=True, eq=False)
class Statement:
    """SQL split at its parameters, with the query that turns the raw result into objects.

    `rows` is None if the query can return no rows.
    """

    pieces: tuple[str, ...]
    params: tuple[Any, ...]
    rows: QuerySet[Any, Any] | None
    compiler: Any
    own_ids_by_stand_in: dict[int, OwnIds]
    #: Stand-ins that several ids may replace.
    list_stand_ins: frozenset[int]
    text_stand_ins: frozenset[str]
    #: The stand-ins for moments, in the order of the arguments.
    moments: tuple[dt.datetime, ...]
    #: When composing began and ended. A moment between the two was the present moment.
    began: dt.datetime
    ended: dt.datetime
    #: True if PostgreSQL plans the statement for each reader, because of `planned_for_each_reader`.
    is_planned_each_time: bool = False
    _numbered_by_first: dict[int, NumberedSql | None] = field(default_factory=dict)

    @cached_property
    def converters(self) -> Any:
        """Return Django's converters of the columns, which Django would look up each time the statement runs."""
        columns = [column for column, *_ in self.compiler.select[: self.compiler.col_count]]
        return self.compiler.get_converters(columns)

    def is_present_moment(self, param: object) -> bool:
        """Return True if this parameter was the present moment when the statement was composed."""
        return isinstance(param, dt.datetime) and self.began <= param <= self.ended

    def numbered_from(self, first: int) -> NumberedSql | None:
        """Return the SQL with the numbers $first, $first+1, … instead of stand-ins.

        Returns None if the text of the SQL depends on the values.
        """
        if first not in self._numbered_by_first:
            self._numbered_by_first[first] = self._number(first)
        return self._numbered_by_first[first]

    def _number(self, first: int) -> NumberedSql | None:
        """Replace each stand-in by a number. Equal stand-ins get the same number.

        Returns None if PostgreSQL must know a value to plan the statement.
        """
        if self.is_planned_each_time:
            return None
        pieces, values = list(self.pieces), []
        # Each different stand-in with its type, in the order of the numbers.
        stand_ins: dict[Any, tuple[Any, str]] = {}
        for index, param in enumerate(self.params):
            sql_type = self._type_of(param)
            if sql_type == "":
                return None
            if sql_type is None:
                values.append(param)
                continue
            is_single_id = not isinstance(param, list)
            if sql_type == "bigint[]" and is_single_id and not _compare_with_array(pieces, index):
                return None
            key = tuple(param) if isinstance(param, list) else param
            stand_ins.setdefault(key, (param, sql_type))
            values.append(numbered(first + list(stand_ins).index(key)))
        params, types = zip(*stand_ins.values(), strict=True) if stand_ins else ((), ())
        return NumberedSql(with_values("%s".join(pieces), values), types, params)

    def _type_of(self, param: Any) -> str | None:
        """Return the PostgreSQL type of a stand-in, or None for a value that is the same for all readers.

        "" means a pattern, whose text PostgreSQL must know to plan well.
        """
        match param:
            case list():
                return "bigint[]" if any(type(item) is int and item <= READER_STAND_IN for item in param) else None
            case dt.datetime():
                is_stand_in = self.is_present_moment(param) or param.microsecond in MOMENT_MARKS
                return "timestamptz" if is_stand_in else None
            case str() if _TEXT_STAND_IN[0] in param:
                return "text" if param in self.text_stand_ins else ""
            case int() if type(param) is int and param <= READER_STAND_IN:
                return "bigint[]" if param in self.list_stand_ins else "bigint"
        return None


def _compare_with_array(pieces: list[str], index: int) -> bool:
    """Replace `IN (…)` around a parameter by `= ANY(…)`; return False if the surrounding SQL has another form.

    Django writes a placeholder for each id, so its SQL differs by the number of ids. An array is a single value.
    """
    sql_before, sql_after = pieces[index], pieces[index + 1]
    if not sql_before.endswith(_IN) or sql_before.endswith(" NOT IN (") or not sql_after.startswith(")"):
        return False
    pieces[index] = f"{sql_before.removesuffix(_IN)} = ANY("
    pieces[index + 1] = f"::bigint[]{sql_after}"
    return True


_planned_each_time: set[Callable[..., Any]] = set()
Compose = TypeVar("Compose", bound=Callable[..., Any])


def planned_for_each_reader(compose: Compose) -> Compose:
    """Make PostgreSQL plan the statement of this function for each reader and record.

    This decorator is for the few statements whose best plan depends on the reader and the record. With one plan for
    all, `make bench-pages` measured ten times the cost. Do not read such statements ahead with other statements, which
    PostgreSQL would then also plan each time.
    """
    _planned_each_time.add(compose)
    return compose


def is_planned_for_each_reader(compose: Callable[..., Any]) -> bool:
    """Return True if PostgreSQL plans the statement of this function for each reader."""
    return compose in _planned_each_time


@dataclass(frozen=True, slots=True)
class NumberedSql:
    """SQL with $1, $2, … instead of stand-ins, and the stand-ins with their PostgreSQL types in that order."""

    text: str
    types: tuple[str, ...]
    stand_ins: tuple[Any, ...]


@dataclass(frozen=True)
class ReadyStatement:
    """A statement that is ready to run for one reader, with the arguments and the reader's own ids."""

    statement: Statement
    arguments: Sequence[Argument]
    own_ids: Mapping[OwnIds, list[int]]
    now: dt.datetime
    #: SQL around the statement, for example to count its rows. The statement replaces the {}.
    wrapper: str = "{}"

    def rows(self, result: list[tuple[Any, ...]] | None = None) -> list[Any]:
        """Return the rows that the composed query would return.

        `result` contains the raw rows, if they have already been read.
        """
        if self.statement.rows is None:
            return []
        compiler = copy.copy(self.statement.compiler)
        compiler.connection = connections[connection.alias]
        compiler.get_converters = lambda *_: self.statement.converters
        if result is None:
            compiler.as_sql = lambda *_, **__: self.sql_and_values()
        else:
            # Columns that only sort the rows come last, and Django expects rows without them.
            column_count = compiler.col_count
            needed_columns = [row[:column_count] for row in result] if compiler.has_extra_select else result
            compiler.execute_sql = lambda *_, **__: [needed_columns]
        rows = self.statement.rows._chain()  # type: ignore[attr-defined]  # Django's own way to copy a queryset
        rows._query = copy.copy(rows.query)
        rows._query.get_compiler = lambda *_, **__: compiler
        return list(rows)

    def sql_and_values(self) -> tuple[str, Sequence[Any]]:
        """Return the SQL and its values; if possible, the SQL calls the prepared statement."""
        numbered_sql = self.numbered_from(1)
        if numbered_sql is not None:
            call = planned_once(numbered_sql.text, numbered_sql.types)
            if call is not None:
                return call, self.values_of(numbered_sql)
        return self.sql, self.values

    def numbered_from(self, first: int) -> NumberedSql | None:
        """Return the SQL in its wrapper with the numbers $first, $first+1, … instead of stand-ins.

        Returns None if the text of the SQL depends on the values of the stand-ins.
        """
        numbered_sql = self.statement.numbered_from(first)
        if numbered_sql is None or self.wrapper == "{}":
            return numbered_sql
        return replace(numbered_sql, text=self.wrapper.replace("{}", numbered_sql.text))

    def values_of(self, numbered_sql: NumberedSql) -> list[Any]:
        """Return the values of the numbered SQL, in the order of the numbers."""
        return [
            IdArray.of(self._ids_by_stand_in[stand_in])
            if sql_type == "bigint[]" and type(stand_in) is int
            else self._values_for(stand_in)[0]
            for stand_in, sql_type in zip(numbered_sql.stand_ins, numbered_sql.types, strict=True)
        ]

    @cached_property
    def sql(self) -> str:
        """Return the SQL with a placeholder for each value."""
        first_piece, *other_pieces = self.statement.pieces
        placeholders = [", ".join(["%s"] * len(values)) for values in self._values_by_param]
        text = first_piece + "".join(
            placeholder + piece for placeholder, piece in zip(placeholders, other_pieces, strict=True)
        )
        return self.wrapper.replace("{}", text)

    @cached_property
    def values(self) -> tuple[Any, ...]:
        """Return the values, in the order of their placeholders."""
        return tuple(value for values in self._values_by_param for value in values)

    @cached_property
    def _values_by_param(self) -> list[list[Any]]:
        return [self._values_for(param) for param in self.statement.params]

    def _values_for(self, param: Any) -> list[Any]:
        """Return the value or the ids that replace a parameter."""
        param_type, statement = type(param), self.statement
        if param_type is int and param in self._ids_by_stand_in:
            return self._ids_by_stand_in[param]
        if param_type is str and self._texts:
            return [_with_texts(param, self._texts)]
        if isinstance(param, list) and any(item in self._ids_by_stand_in for item in param):
            # Usually, one stand-in represents all the reader's ids, whose array is then written only once for a page.
            is_single = len(param) == 1
            ids = self._ids_by_stand_in[param[0]] if is_single else _with_ids(param, self._ids_by_stand_in)
            return [IdArray.of(ids)]
        if statement.is_present_moment(param):
            return [self.now]
        if param_type is dt.datetime and param.microsecond in MOMENT_MARKS:
            # The query may have added days to the stand-in, so the real moment cannot simply replace it.
            index = param.microsecond - MOMENT_MARKS[0]
            return [param + (self._moments[index] - statement.moments[index])]
        return [param]

    @cached_property
    def _ids_by_stand_in(self) -> dict[Any, list[int]]:
        ids: dict[Any, list[int]] = {
            stand_in: self.own_ids[own_ids] for stand_in, own_ids in self.statement.own_ids_by_stand_in.items()
        }
        for position, argument in enumerate(self.arguments):
            match argument:
                case User():
                    ids[READER_STAND_IN] = [argument.pk]
                case list():
                    ids[id_stand_in(position)] = argument
                case int():
                    ids[id_stand_in(position)] = [argument]
        return ids

    @cached_property
    def _moments(self) -> list[dt.datetime]:
        return [argument for argument in self.arguments if isinstance(argument, dt.datetime)]

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        """Return the stand-in and the value of each text among the arguments."""
        return [
            (text_stand_in(position), text) for position, text in enumerate(self.arguments) if isinstance(text, str)
        ]


def _with_ids(items: list[Any], ids_by_stand_in: dict[Any, list[int]]) -> list[Any]:
    """Return the list with the ids that replace its stand-ins."""
    return [pk for item in items for pk in ids_by_stand_in.get(item, (item,))]


def _with_texts(value: str, texts: Sequence[tuple[str, str]]) -> str:
    """Return the value with texts instead of their stand-ins; texts within a pattern are escaped."""
    for stand_in, text in texts:
        if value == stand_in:
            return text
        if stand_in in value:
            value = value.replace(stand_in, connection.ops.prep_for_like_query(text))
    return value


def can_be_stored(statement: Statement) -> bool:
    """Return True if every value in the SQL is a stand-in or the same for all readers."""
    rows: Any = statement.rows
    if rows is not None:
        # A related manager attaches its record to each row, and prefetched querysets may have their own conditions.
        has_related_record = bool(rows._known_related_objects)
        if has_related_record or not all(
            _is_for_everybody(prefetched) for prefetched in rows._prefetch_related_lookups
        ):
            return False
    moments = [param for param in statement.params if isinstance(param, dt.datetime)]
    # Any other moment was computed by the query itself from the clock, and would never change in the stored SQL.
    are_known_moments = all(
        statement.is_present_moment(moment) or moment.microsecond in {0, *MOMENT_MARKS} for moment in moments
    )
    # The numbers differ if the SQL also contains "%s" as text.
    return are_known_moments and len(statement.pieces) == len(statement.params) + 1


def _is_for_everybody(prefetched: str | Prefetch[Any]) -> bool:
    """Return True if the prefetched rows depend neither on the reader nor on a moment."""
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
    return not any(isinstance(item, dt.datetime) or (type(item) is int and item <= READER_STAND_IN) for item in values)
