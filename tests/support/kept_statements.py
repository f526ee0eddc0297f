"""Compares each kept statement with the query composed for the reader."""

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
from partnerships.organisations.filling import Ready

Shape = tuple[str, tuple[Any, ...]]
#: Beginnings and ends of settings that are in no query: how often and how emails leave, limits, and where files are.
_NOT_IN_SQL = (("DIGEST_", "EMAIL", "EXPORTS_", "NOTICES_"), ("_ROOT",))


def forget(*, setting: str, **_: Any) -> None:
    """Forget what was composed with another setting."""
    begins, ends = _NOT_IN_SQL
    if not setting.startswith(begins) and not setting.endswith(ends):
        statements._kept.clear()


setting_changed.connect(forget, dispatch_uid="tests.kept_statements")


def shape_of(sql: str, values: Sequence[Any]) -> Shape:
    """SQL in which each list of values is one, and these values; ids in any order, all moments alike."""
    pieces = sql.split("%s")
    text, found = pieces[0], []
    for value, piece in zip(values, pieces[1:], strict=True):
        many = set(value) if isinstance(value, list) else {"moment" if isinstance(value, dt.datetime) else value}
        if text.endswith("%s, "):
            found[-1] |= many
            text = text[: -len(", ")] + piece
        else:
            found.append(many)
            text += f"%s{piece}"
    return re.sub(r"\s+", " ", text), tuple(frozenset(one) for one in found)


#: How often a statement is compared in a process, with the readers and pages that come first: a dozen times in a run of
#: one process, sixteen in one of four. Composing it each time took a twelfth of the whole suite.
_TIMES = max(4, 12 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
_compared: Counter[tuple[object, tuple[str, ...]]] = Counter()


def compared(ready: Callable[..., Ready | None]) -> Callable[..., Ready | None]:
    """`_ready` that fails where the kept statement is not the reader's own."""

    def checked(
        compose: Callable[..., QuerySet[Any, Any]], given: Sequence[Any], named: dict[str, Any]
    ) -> Ready | None:
        found = ready(compose, given, named)
        if found is not None and _compared[key := (compose, found.statement.pieces)] < _TIMES:
            _compared[key] += 1
            try:
                own = compose(*given, **named).query.get_compiler(connection=connection).as_sql()
            except EmptyResultSet:
                own = ("", ())
            assert shape_of(found.sql, found.values) == shape_of(*own), compose
        return found

    return checked
