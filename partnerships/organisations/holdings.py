"""What a person holds: the organisations they act for and, say, the partnerships those take part in.

A page asks a dozen times what one person may see. While it is read (GET, HEAD), what the person holds is queried once
and stands in SQL as arrays of ids, for which PostgreSQL can use an index even inside an OR. Everywhere else (services,
tasks, commands, streamed files) it is a subquery, so that nothing is remembered across a change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db.models import BigAutoField, Exists, ForeignKey, Lookup, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from partnerships.kit.compiled import Slot
from partnerships.kit.database import IdArray

M = TypeVar("M", bound=type[Model])
#: Ids as a list while a page is read, else as a subquery.
Ids = QuerySet[Any] | list[int] | Slot
#: What was read for the page that is being made; None outside of one.
_remembered: ContextVar[dict[Hashable, Any] | None] = ContextVar("holdings", default=None)
#: Stands for what a reader holds while a query is composed for all readers; None otherwise.
_standing_in: ContextVar[StandIns | None] = ContextVar("standing_in", default=None)
#: Whether rights are composed for a few known records.
_one_by_one: ContextVar[bool] = ContextVar("one_by_one", default=False)
#: By model whose rows lead from an organisation to few enough records (thousands): the columns that conditions use.
_columns: dict[type[Model], tuple[str, ...]] = {}


class Held(Lookup[Any]):
    """`column = ANY(array)`.

    One parameter for any number of ids, and none of Django's work for each.
    """

    lookup_name = "held"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The SQL of the condition, with the array as its parameter."""
        column, params = self.process_lhs(compiler, connection)
        ids = self.rhs if isinstance(self.rhs, Slot) else IdArray.of(self.rhs)
        return f"{column} = ANY(%s::bigint[])", (*params, ids)


BigAutoField.register_lookup(Held)
ForeignKey.register_lookup(Held)


@contextmanager
def remembered() -> Iterator[None]:
    """Remember what each person holds until the end of the block, in which nothing may change it."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


class HoldingsMiddleware:
    """Remembers what the reader of a page holds while the page is made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        with remembered():
            return self.get_response(request)


class OneByOne(Exists):
    """EXISTS for each row: PostgreSQL turns none with an OFFSET into a list of everything that it could find."""

    template = "EXISTS(%(subquery)s OFFSET 0)"


@contextmanager
def one_by_one() -> Iterator[None]:
    """Let `visible_to` give conditions for a few known records until the end of the block."""
    token = _one_by_one.set(True)
    try:
        yield
    finally:
        _one_by_one.reset(token)


def is_one_by_one() -> bool:
    """Whether rights are composed for a few known records."""
    return _one_by_one.get()


class CannotStandIn(Exception):
    """The query depends on more of its reader than stand-ins have."""


class StandIns(ABC):
    """Placeholder ids of what a reader holds, while SQL is composed that will be kept (see `statements`)."""

    @abstractmethod
    def organisations(self, person: int | None, roles: tuple[str, ...]) -> list[int]:
        """For the organisations of the reader in these roles.

        Raises `CannotStandIn` for anybody else's.
        """

    @abstractmethod
    def records(self, model: type[Model], column: str, condition: Q, organisations: Sequence[int]) -> list[int]:
        """For records that these organisations hold."""


@contextmanager
def standing_in(stand_ins: StandIns | None) -> Iterator[None]:
    """Let stand-ins take the place of what is held until the end of the block.

    None: what is really held.
    """
    token = _standing_in.set(stand_ins)
    try:
        yield
    finally:
        _standing_in.reset(token)


def stand_ins() -> StandIns | None:
    """The stand-ins while a query is composed whose SQL is kept."""
    return _standing_in.get()


def is_remembering() -> bool:
    """Whether a page is being made."""
    return _remembered.get() is not None


def page_memory() -> dict[Hashable, Any] | None:
    """What is remembered while a page is made, by key; None outside of one."""
    return _remembered.get()


def remember(*columns: str) -> Callable[[M], M]:
    """Declare that one person's organisations have at most thousands of rows of a model.

    `columns` are those by which conditions choose among the rows, besides the organisation.
    """

    def declare(model: M) -> M:
        _columns[model] = columns
        return model

    return declare


def of_page(key: Hashable, read: Callable[[], Iterable[Any]]) -> list[Any] | None:
    """The result of `read`, called once a page.

    None outside of one. A `key` must always stand for the same `read`.
    """
    page = _remembered.get()
    if page is None:
        return None
    if _standing_in.get() is not None:
        raise CannotStandIn
    if key not in page:
        value = read()
        page[key] = value if isinstance(value, list) else list(value)
    cached: list[Any] = page[key]
    return cached


def records_held(
    model: type[Model], column: str, condition: Q, *, person: int, everywhere: Callable[[], Ids], organisations: Ids
) -> list[int] | None:
    """Ids in a column of the rows that meet a condition and belong to these organisations.

    `everywhere` gives all organisations of the person: their rows are read once for a page, and the conditions choose
    among them. None outside of a page, and where a condition needs more than the columns that were declared.
    """
    if model not in _columns or not _can_choose(condition, _columns[model]):
        return None
    standing = _standing_in.get()
    if standing is not None:
        return standing.records(model, column, condition, organisations) if isinstance(organisations, list) else None
    if not isinstance(organisations, list):
        return None
    among_these, columns = frozenset(organisations), _columns[model]

    def read() -> list[tuple[int, dict[str, Any], set[int]]]:
        """Organisation, values and records of the rows.

        Thousands of rows differ in few values.
        """
        alike: defaultdict[tuple[Any, ...], set[int]] = defaultdict(set)
        rows = model._base_manager.filter(among("organisation", everywhere()))
        for record, *values in rows.values_list(column, "organisation", *columns):
            alike[tuple(values)].add(record)
        return [(body, dict(zip(columns, values, strict=True)), ids) for (body, *values), ids in alike.items()]

    def chosen() -> IdArray:
        record_ids: set[int] = set()
        for organisation, values, ids in of_page((model, column, person), read) or ():
            if organisation in among_these and _meets(values, condition):
                record_ids |= ids
        return IdArray(record_ids)

    return of_page((model, column, condition, person, among_these), chosen)


def _can_choose(condition: Q, columns: tuple[str, ...]) -> bool:
    """Whether a condition compares only these columns, with values."""
    for child in condition.children:
        if isinstance(child, Q):
            if not _can_choose(child, columns):
                return False
        elif not isinstance(child, tuple):
            return False
        else:
            name, _, lookup = str(child[0]).partition("__")
            if name not in columns or lookup not in {"", "in"} or hasattr(child[1], "resolve_expression"):
                return False
    return True


def _meets(row: dict[str, Any], condition: Q) -> bool:
    """Whether a row meets a condition that `_can_choose`."""
    answers = (_meets(row, child) if isinstance(child, Q) else _compares(row, *child) for child in condition.children)  # type: ignore[misc]  # `_can_choose` left nothing else
    met = any(answers) if condition.connector == Q.OR else all(answers)
    return met is not condition.negated


def _compares(row: dict[str, Any], name: str, value: Any) -> bool:
    column, _, lookup = name.partition("__")
    return row[column] in value if lookup == "in" else row[column] == value


def among(path: str, ids: Ids) -> Q:
    """The condition that the id at `path` is one of those held."""
    return Q(**{f"{path}__held": ids}) if isinstance(ids, list | Slot) else Q(**{f"{path}__in": ids})
