"""Kept statements: SQL composed for stand-ins, which the values of one reader replace.

Where a connection reaches its server process directly, PostgreSQL plans a statement once for the connection: planning
takes longer than running it.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeAlias, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Model, Q, QuerySet

from partnerships.kit.database import IdArray, numbered, planned_once, with_values
from partnerships.organisations.holdings import of_page, records_held
from partnerships.organisations.models import Membership
from partnerships.people.models import User

#: What stand-ins take the place of.
Given: TypeAlias = User | AnonymousUser | int | list[int] | dt.datetime | str

#: The first stand-in, for the reader; others are below it. No row has such an id.
FIRST = -9_007_199_254_740_000
#: Microseconds of stand-ins for moments: the first one given, the second, and so on.
MARKS = range(987_650, 987_655)
#: Stands for words: a character for private use, which no form takes, and the place among what is given.
_WORDS = "\ue000{}\ue001"
#: How Django begins a list of values.
_IN = " IN ("


def id_at(place: int) -> int:
    """The stand-in for the id that is given at this place."""
    return FIRST - 1 - place


def words_at(place: int) -> str:
    """The stand-in for the words that are given at this place."""
    return _WORDS.format(place)


@dataclass(frozen=True, slots=True)
class Held:
    """What a stand-in stands for.

    Organisations in some roles or, with a model, the records that they hold.
    """

    roles: tuple[str, ...]
    model: type[Model] | None = None
    column: str = ""
    condition: Q = field(default_factory=Q)

    def ids(self, user: User) -> list[int]:
        """The ids that this person holds, while a page is made."""
        return of_page((Held, self, user.pk), partial(self._read, user)) or []

    def _read(self, user: User) -> list[int]:
        acting = Membership.objects.organisations_of
        own_ids, model = acting(user, *self.roles), self.model
        if model is None:
            return list(own_ids)
        everywhere = partial(acting, user)
        records = records_held(
            model, self.column, self.condition, person=user.pk, everywhere=everywhere, organisations=own_ids
        )
        assert records is not None, "Stand-ins exist only for what can be held."
        return records


@dataclass(frozen=True, eq=False)
class Statement:
    """SQL split at its parameters, the parameters, and the query that reads the rows. None if it has no rows."""

    pieces: tuple[str, ...]
    params: tuple[Any, ...]
    rows: QuerySet[Any, Any] | None
    compiler: Any
    #: What the stand-ins stand for.
    held: dict[int, Held]
    #: Stand-ins that may become several ids.
    several: frozenset[int]
    #: Stand-ins for words.
    words: frozenset[str]
    moments: tuple[dt.datetime, ...]
    began: dt.datetime
    ended: dt.datetime
    #: Whether PostgreSQL plans it for each reader: see `planned_for_each_reader`.
    is_planned_each_time: bool = False
    _numbered: dict[int, Planned | None] = field(default_factory=dict)

    def is_now(self, moment: object) -> bool:
        """Whether a parameter was the present moment while the statement was composed."""
        return isinstance(moment, dt.datetime) and self.began <= moment <= self.ended

    def numbered_from(self, first: int) -> Planned | None:
        """The statement with its open values as $first and so on.

        None if its text depends on them.
        """
        if first not in self._numbered:
            self._numbered[first] = self._with_numbers(first)
        return self._numbered[first]

    def _with_numbers(self, first: int) -> Planned | None:
        """The statement with numbered parameters.

        None if a value's type or its place prevents that.
        """
        if self.is_planned_each_time:
            return None
        pieces, values = list(self.pieces), []
        varying: dict[Any, tuple[Any, str]] = {}
        for place, param in enumerate(self.params):
            kind = self._type_of(param)
            if kind == "bigint[]" and not isinstance(param, list):
                # Django writes each id of a list by itself; an array is one value, however many there are.
                if not (
                    pieces[place].endswith(_IN)
                    and not pieces[place].endswith(" NOT IN (")
                    and pieces[place + 1].startswith(")")
                ):
                    return None
                pieces[place] = f"{pieces[place].removesuffix(_IN)} = ANY("
                pieces[place + 1] = f"::bigint[]{pieces[place + 1]}"
            if kind == "":
                return None
            if kind is None:
                values.append(param)
                continue
            key = tuple(param) if isinstance(param, list) else param
            varying.setdefault(key, (param, kind))
            values.append(numbered(first + list(varying).index(key)))
        params, kinds = zip(*varying.values(), strict=True) if varying else ((), ())
        return Planned(with_values("%s".join(pieces), values), kinds, params)

    def _type_of(self, param: Any) -> str | None:
        """PostgreSQL's type of a parameter that stands in.

        None if it is the same for everybody.

        "" for a pattern, which PostgreSQL must know to plan well.
        """
        match param:
            case list():
                return "bigint[]" if any(type(item) is int and item <= FIRST for item in param) else None
            case dt.datetime():
                return "timestamptz" if self.is_now(param) or param.microsecond in MARKS else None
            case str() if _WORDS[0] in param:
                return "text" if param in self.words else ""
            case int() if type(param) is int and param <= FIRST:
                return "bigint[]" if param in self.several else "bigint"
        return None


_planned_each_time: set[Callable[..., Any]] = set()
Compose = TypeVar("Compose", bound=Callable[..., Any])


def planned_for_each_reader(compose: Compose) -> Compose:
    """Let PostgreSQL plan what this function composes for each reader and record.

    For the few statements whose best plan depends on them: with one plan for all, `make bench-pages` showed them at ten
    times their cost. Do not read them ahead with others, which would then be planned each time, too.
    """
    _planned_each_time.add(compose)
    return compose


def is_planned_for_each_reader(compose: Callable[..., Any]) -> bool:
    """Whether what this function composes is planned for each reader."""
    return compose in _planned_each_time


@dataclass(frozen=True, slots=True)
class Planned:
    """A statement with $1, $2 instead of stand-ins, the types of these, and the stand-ins themselves."""

    text: str
    types: tuple[str, ...]
    params: tuple[Any, ...]


@dataclass(frozen=True)
class Ready:
    """A statement with the values of one reader."""

    statement: Statement
    given: Sequence[Given]
    held: Mapping[Held, list[int]]
    now: dt.datetime
    #: What is asked of the statement, which takes the place of {}.
    around: str = "{}"

    def rows(self, read: list[tuple[Any, ...]] | None = None) -> list[Any]:
        """Its rows, as the composed query would give them.

        `read`: as the database gave them already.
        """
        if self.statement.rows is None:
            return []
        compiler = copy.copy(self.statement.compiler)
        compiler.connection = connection
        if read is None:
            compiler.as_sql = lambda *_, **__: self.asked()
        else:
            # Columns for sorting alone come last, and Django reads without them.
            own = [row[: compiler.col_count] for row in read] if compiler.has_extra_select else read
            compiler.execute_sql = lambda *_, **__: [own]
        rows = self.statement.rows._chain()  # type: ignore[attr-defined]  # Django's own way to copy a queryset
        rows._query = copy.copy(rows.query)
        rows._query.get_compiler = lambda *_, **__: compiler
        return list(rows)

    def asked(self) -> tuple[str, Sequence[Any]]:
        """Its SQL and values; planned once where that is possible."""
        planned = self.numbered_from(1)
        if planned is not None:
            said = planned_once(planned.text, planned.types)
            if said is not None:
                return said, self.open_values(planned)
        return self.sql, self.values

    def numbered_from(self, first: int) -> Planned | None:
        """The SQL with its open values as $first and so on.

        None if its text depends on them.
        """
        planned = self.statement.numbered_from(first)
        if planned is None or self.around == "{}":
            return planned
        return replace(planned, text=self.around.replace("{}", planned.text))

    def open_values(self, planned: Planned) -> list[Any]:
        """The values of a planned statement, in the order of their numbers."""
        return [
            IdArray.of(self._ids[param]) if kind == "bigint[]" and type(param) is int else self._values(param)[0]
            for param, kind in zip(planned.params, planned.types, strict=True)
        ]

    @cached_property
    def sql(self) -> str:
        """The SQL with places for its values."""
        pieces = self.statement.pieces
        places = [", ".join(["%s"] * len(own)) for own in self._each]
        text = pieces[0] + "".join(place + piece for place, piece in zip(places, pieces[1:], strict=True))
        return self.around.replace("{}", text)

    @cached_property
    def values(self) -> tuple[Any, ...]:
        """The values in their places."""
        return tuple(value for own in self._each for value in own)

    @cached_property
    def _each(self) -> list[list[Any]]:
        return [self._values(param) for param in self.statement.params]

    def _values(self, param: Any) -> list[Any]:
        """What takes the place of a parameter: one value, or several ids."""
        kind, statement = type(param), self.statement
        if kind is int and param in self._ids:
            return self._ids[param]
        if kind is str and self._words:
            return [_with_words(param, self._words)]
        if isinstance(param, list) and any(item in self._ids for item in param):
            # Mostly one stand-in for all that is held, whose array is written once for a page.
            return [IdArray.of(self._ids[param[0]] if len(param) == 1 else _in_place(param, self._ids))]
        if statement.is_now(param):
            return [self.now]
        if kind is dt.datetime and param.microsecond in MARKS:
            place = param.microsecond - MARKS[0]
            return [param + (self._moments[place] - statement.moments[place])]
        return [param]

    @cached_property
    def _ids(self) -> dict[Any, list[int]]:
        """Ids by their stand-in."""
        ids: dict[Any, list[int]] = {number: self.held[one] for number, one in self.statement.held.items()}
        for place, one in enumerate(self.given):
            match one:
                case User():
                    ids[FIRST] = [one.pk]
                case list():
                    ids[id_at(place)] = one
                case int():
                    ids[id_at(place)] = [one]
        return ids

    @cached_property
    def _moments(self) -> list[dt.datetime]:
        return [argument for argument in self.given if isinstance(argument, dt.datetime)]

    @cached_property
    def _words(self) -> list[tuple[str, str]]:
        return [(words_at(place), one) for place, one in enumerate(self.given) if isinstance(one, str)]


def _in_place(param: list[Any], ids: dict[Any, list[int]]) -> list[Any]:
    """A list with ids in place of its stand-ins."""
    return [pk for item in param for pk in ids.get(item, (item,))]


def _with_words(value: str, words: Sequence[tuple[str, str]]) -> str:
    """A value with words in place of their stand-ins, escaped where they are part of a pattern."""
    for stand_in, word in words:
        if value == stand_in:
            return word
        if stand_in in value:
            value = value.replace(stand_in, connection.ops.prep_for_like_query(word))
    return value
