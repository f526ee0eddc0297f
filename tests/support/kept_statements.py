"""Compare each cached statement with the query composed for the reader."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.core.signals import setting_changed
from django.db import connection
from django.db.models import QuerySet

from partnerships.organisations import statements
from partnerships.organisations.stored_statements import ReadyStatement

Shape = tuple[str, tuple[Any, ...]]
#: Beginnings and ends of names of settings on which no query depends, such as those about sending emails.
_NOT_IN_SQL = (("DIGEST_", "EMAIL", "EXPORTS_", "NOTICES_"), ("_ROOT",))


def forget_statements() -> None:
    """Forget all stored statements."""
    statements._kept.clear()


def number_of_statements() -> int:
    """Return how many statements are stored."""
    return len(statements._kept)


def forget_after_change(*, setting: str, **_: Any) -> None:
    """Forget statements that were composed with another value of a setting."""
    begins, ends = _NOT_IN_SQL
    if not setting.startswith(begins) and not setting.endswith(ends):
        forget_statements()


setting_changed.connect(forget_after_change, dispatch_uid="tests.kept_statements")


def shape_of(sql: str, values: Sequence[Any]) -> Shape:
    """Return SQL with one placeholder for each list of values, and the values.

    Ids may be in any order, and all moments are the same.
    """
    first, *others = sql.split("%s")
    text = first
    value_sets = []
    for value, piece in zip(values, others, strict=True):
        new_values = set(value) if isinstance(value, list) else {"moment" if isinstance(value, dt.datetime) else value}
        if text.endswith("%s, "):
            value_sets[-1] |= new_values
            text = text[: -len(", ")] + piece
        else:
            value_sets.append(new_values)
            text += f"%s{piece}"
    return re.sub(r"\s+", " ", text), tuple(frozenset(values_in_list) for values_in_list in value_sets)


#: How often each process compares a statement, for its first readers and pages. One process compares it 12 times, and
#: four processes compare it 16 times together. Comparing every time took a twelfth of the time of the whole suite.
_TIMES = max(4, 12 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
_compared: Counter[tuple[object, tuple[str, ...]]] = Counter()


def compared(make_ready: Callable[..., ReadyStatement | None]) -> Callable[..., ReadyStatement | None]:
    """Wrap `_ready_statement`, so that it fails if the cached SQL differs from the query composed for the reader."""

    def make_and_compare(
        compose: Callable[..., QuerySet[Any, Any]], arguments: Sequence[Any], named: dict[str, Any]
    ) -> ReadyStatement | None:
        ready = make_ready(compose, arguments, named)
        if ready is None:
            return None
        key = (compose, ready.statement.pieces)
        if _compared[key] < _TIMES:
            _compared[key] += 1
            try:
                composed = compose(*arguments, **named).query.get_compiler(connection=connection).as_sql()
            except EmptyResultSet:
                composed = ("", ())
            assert shape_of(ready.sql, ready.values) == shape_of(*composed), compose
        return ready

    return make_and_compare
