"""A person's holdings, which are the organisations that they act for and the records of these organisations.

For example, Amina's holdings are Larkhaven and the ids of its partnerships. A page checks a dozen times what its reader
may see. While a page is made (GET, HEAD), the person's holdings are therefore queried only once. The SQL contains them
as arrays of ids, for which PostgreSQL can use an index even inside an OR.

Services, tasks, commands and streamed files use subqueries instead, because remembered holdings could be out of date
after a change.
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

from partnerships.kit.compiled import Slot, rows_composed_once
from partnerships.kit.database import IdArray

M = TypeVar("M", bound=type[Model])
#: Ids are a list while a page is made, and a subquery at other times.
Ids = QuerySet[Any] | list[int] | Slot
#: The memory of the page that is being made, by key; None outside a page.
_remembered: ContextVar[dict[Hashable, Any] | None] = ContextVar("holdings", default=None)
#: Stand-ins for a reader's holdings while a query is composed for all readers; None otherwise.
_stand_ins: ContextVar[StandIns | None] = ContextVar("stand_ins", default=None)
#: True while `visible_to` composes conditions for a few known records.
_for_a_few_records: ContextVar[bool] = ContextVar("for_a_few_records", default=False)
#: The columns that conditions use, by model. `remember` adds them.
_columns: dict[type[Model], tuple[str, ...]] = {}


class InArray(Lookup[Any]):
    """The lookup `column = ANY(array)`. The array is one parameter, so Django does no work for each id."""

    lookup_name = "held"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL of the condition, with the array as its parameter."""
        column, params = self.process_lhs(compiler, connection)
        ids = self.rhs if isinstance(self.rhs, Slot) else IdArray.of(self.rhs)
        return f"{column} = ANY(%s::bigint[])", (*params, ids)


BigAutoField.register_lookup(InArray)
ForeignKey.register_lookup(InArray)


@contextmanager
def remembering_holdings() -> Iterator[None]:
    """Remember each person's holdings until the end of the block. Nothing in the block may change holdings."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


@contextmanager
def not_remembering_holdings() -> Iterator[None]:
    """Use subqueries instead of remembered holdings until the end of the block, even while a page is made.

    Conditions about many people need this, because the holdings of each person would be queried separately.
    """
    token = _remembered.set(None)
    try:
        yield
    finally:
        _remembered.reset(token)


class HoldingsMiddleware:
    """Remembers the reader's holdings while a page is made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        with remembering_holdings():
            return self.get_response(request)


class CheckedForEachRow(Exists):
    """An EXISTS that PostgreSQL checks for each row. The OFFSET prevents PostgreSQL from turning it into a join."""

    template = "EXISTS(%(subquery)s OFFSET 0)"


@contextmanager
def for_a_few_records() -> Iterator[None]:
    """Make `visible_to` return conditions that suit a few known records, until the end of the block."""
    token = _for_a_few_records.set(True)
    try:
        yield
    finally:
        _for_a_few_records.reset(token)


def is_for_a_few_records() -> bool:
    """Return True if `visible_to` composes conditions for a few known records."""
    return _for_a_few_records.get()


class CannotStandIn(Exception):
    """Raised if a query depends on a property of its reader that stand-ins cannot replace."""


class StandIns(ABC):
    """Provides ids that replace a reader's holdings while SQL is composed for all readers."""

    @abstractmethod
    def organisations(self, person_id: int | None, roles: tuple[str, ...]) -> list[int]:
        """Return a stand-in for the reader's organisations in these roles.

        Raises `CannotStandIn` for another person's organisations.
        """

    @abstractmethod
    def records(self, model: type[Model], column: str, condition: Q, organisation_ids: Sequence[int]) -> list[int]:
        """Return a stand-in for the records that these organisations have."""


@contextmanager
def using_stand_ins(stand_ins: StandIns | None) -> Iterator[None]:
    """Use these stand-ins instead of holdings until the end of the block; with None, use the real holdings."""
    token = _stand_ins.set(stand_ins)
    try:
        yield
    finally:
        _stand_ins.reset(token)


def stand_ins_in_use() -> StandIns | None:
    """Return the stand-ins if a query is being composed for all readers; otherwise None."""
    return _stand_ins.get()


def is_page_being_made() -> bool:
    """Return True while a page is made."""
    return _remembered.get() is not None


def page_memory() -> dict[Hashable, Any] | None:
    """Return the memory of the page that is being made, by key; None outside a page."""
    return _remembered.get()


def remember(*columns: str) -> Callable[[M], M]:
    """Declare that a person's organisations have at most thousands of rows of a model, few enough to read on a page.

    `columns` are the columns that conditions on the rows use, besides the organisation.
    """

    def declare(model: M) -> M:
        _columns[model] = columns
        return model

    return declare


def read_once_a_page(key: Hashable, read: Callable[[], Iterable[Any]]) -> list[Any] | None:
    """Call `read` once for each page, and return its result as a list; None outside a page.

    Callers must always use the same `read` with the same `key`.
    """
    page = _remembered.get()
    if page is None:
        return None
    if _stand_ins.get() is not None:
        raise CannotStandIn
    if key not in page:
        items = read()
        page[key] = items if isinstance(items, list) else list(items)
    cached: list[Any] = page[key]
    return cached


def rows_once_a_page(key: Hashable, read: Callable[[], Iterable[Any]]) -> list[Any]:
    """Return the result of `read` as a list. A page calls `read` once for each key, everything else each time."""
    rows = read_once_a_page(key, read)
    return list(read()) if rows is None else rows


def held_record_ids(
    model: type[Model], column: str, condition: Q, *, person_id: int, everywhere: Callable[[], Ids], organisations: Ids
) -> list[int] | None:
    """Return the ids in a column of the rows that meet a condition and belong to these organisations.

    `everywhere` returns all organisations of the person. Their rows are read once for each page, and conditions then
    select rows in Python. Returns None outside a page, and if a condition uses columns that `remember` did not declare.
    """
    if model not in _columns or not _can_choose(condition, _columns[model]):
        return None
    if not isinstance(organisations, list):
        return None
    current_stand_ins = _stand_ins.get()
    if current_stand_ins is not None:
        return current_stand_ins.records(model, column, condition, organisations)
    organisation_ids, columns = frozenset(organisations), _columns[model]

    def compose() -> QuerySet[Any, tuple[Any, ...]]:
        rows = model._base_manager.filter(id_is_among("organisation", Slot(0)))
        return rows.values_list(column, "organisation", *columns)

    def read_rows() -> list[tuple[int, dict[str, Any], set[int]]]:
        """Return each organisation and combination of values once, with the ids of all its records.

        Thousands of rows have only a few combinations.
        """
        all_organisations = everywhere()
        assert isinstance(all_organisations, list), "While a page is made, holdings are lists."
        ids_by_values: defaultdict[tuple[Any, ...], set[int]] = defaultdict(set)
        for record, *values in rows_composed_once((model, column), compose, [IdArray.of(all_organisations)]):
            ids_by_values[tuple(values)].add(record)
        return [
            (organisation, dict(zip(columns, values, strict=True)), ids)
            for (organisation, *values), ids in ids_by_values.items()
        ]

    def select_ids() -> IdArray:
        record_ids: set[int] = set()
        for organisation, values, ids in read_once_a_page((model, column, person_id), read_rows) or ():
            if organisation in organisation_ids and _row_meets(values, condition):
                record_ids |= ids
        return IdArray(record_ids)

    return read_once_a_page((model, column, condition, person_id, organisation_ids), select_ids)


def _can_choose(condition: Q, columns: tuple[str, ...]) -> bool:
    """Return True if the condition compares only these columns, and only with values."""
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


def _row_meets(row: dict[str, Any], condition: Q) -> bool:
    """Return True if the row meets a condition that passed `_can_choose`."""
    answers = (
        _row_meets(row, child) if isinstance(child, Q) else _row_compares(row, *child)  # type: ignore[misc]  # `_can_choose` left nothing else
        for child in condition.children
    )
    is_met = any(answers) if condition.connector == Q.OR else all(answers)
    return is_met is not condition.negated


def _row_compares(row: dict[str, Any], name: str, value: Any) -> bool:
    column, _, lookup = name.partition("__")
    return row[column] in value if lookup == "in" else row[column] == value


def id_is_among(path: str, ids: Ids) -> Q:
    """Return the condition that the id at `path` is one of these ids."""
    return Q(**{f"{path}__held": ids}) if isinstance(ids, list | Slot) else Q(**{f"{path}__in": ids})
