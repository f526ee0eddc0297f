"""Retention: rooms register rules, and a nightly job applies each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

import structlog
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from partnerships.kit.accounting import acting
from partnerships.people.models import RetentionRuleState, RetentionRun

log = structlog.get_logger(__name__)
Thing = TypeVar("Thing")
Rows = TypeVar("Rows", bound=QuerySet[Any])

#: The hour, in London, from which a day's run may begin.
NIGHT = 2
#: How long an unfinished run blocks the next attempt.
CUT_OFF = dt.timedelta(minutes=50)
#: Rows deleted or changed in one transaction.
BATCH = 1_000
#: A rule without a complete run for this long is reported to the operators.
OVERDUE = dt.timedelta(days=2)
#: How long the file of a removed document or attachment is kept, and the same in words.
REMOVED_KEPT = dt.timedelta(days=365)
REMOVED_KEPT_FOR = "12 months after they were removed"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """A retention rule: what is kept, why, on which basis and how long.

    `apply(now, dry_run)` removes (or only counts) what is past its time and returns how many things. It runs outside a
    transaction and commits in batches, so that work done before a failure stays: `delete_in_batches` and
    `change_in_batches` for rows, `for_each` for things with their own service.
    """

    what: str
    purpose: str
    basis: str
    kept_for: str
    apply: Callable[[dt.datetime, bool], int]


RULES: dict[str, RetentionRule] = {}
#: Errors that end the present run at once, such as a time limit.
_ends_run: ContextVar[tuple[type[Exception], ...]] = ContextVar("_ends_run", default=())


def register_retention(
    name: str,
    *,
    what: str,
    purpose: str,
    basis: str,
    kept_for: str,
    apply: Callable[[dt.datetime, bool], int],
) -> None:
    """Register a rule under a short name; the same name replaces it."""
    RULES[name] = RetentionRule(what=what, purpose=purpose, basis=basis, kept_for=kept_for, apply=apply)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many things each rule removed, and the error type of failed rules.

    In a dry run: how many it would remove.
    """

    removed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def delete_in_batches(rows: QuerySet[Model], *, dry_run: bool) -> int:
    """Delete rows, `BATCH` in a transaction, or only count them.

    Returns the number of rows without those deleted by cascade.
    """
    if dry_run:
        return rows.count()
    removed, label = 0, rows.model._meta.label
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        removed += rows.filter(pk__in=keys).delete()[1].get(label, 0)
        if len(keys) < BATCH:
            break
    return removed


def change_in_batches(rows: Rows, change: Callable[[Rows], int], *, dry_run: bool) -> int:
    """Change rows, `BATCH` in a transaction, or only count them.

    `change` returns how many it changed.
    """
    if dry_run:
        return rows.count()
    changed, last = 0, 0
    while keys := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            changed += change(rows.filter(pk__in=keys))
        last = keys[-1]
    return changed


def for_each(things: Iterable[Thing], act: Callable[[Thing], object]) -> int:
    """Act on each thing, also after failures; returns how many.

    Raises the first failure at the end, and the end of the run's time at once.
    """
    count, failure = 0, None
    for thing in things:
        try:
            act(thing)
        except Exception as error:
            if isinstance(error, _ends_run.get()):
                raise
            failure = failure or error
        else:
            count += 1
    if failure is not None:
        raise failure
    return count


def drop_files(rows: QuerySet[Any], *, dry_run: bool) -> int:
    """Delete the stored files of these rows; returns how many.

    The rows stay, with title and fingerprint.
    """
    old = rows.exclude(file="")
    if dry_run:
        return old.count()
    return for_each(list(old.order_by("pk").values_list("pk", flat=True)), partial(_drop_file, old))


@transaction.atomic
def _drop_file(old: QuerySet[Any], pk: int) -> None:
    row = old.select_for_update().filter(pk=pk).first()
    if row is None:  # restored, or dropped by another run, in the meantime
        return
    # First, so that the row goes on naming a file that the storage did not delete: the next run tries again.
    row.file.storage.delete(str(row.file.name))
    old.model._default_manager.filter(pk=pk).update(file="")


def apply_retention(*, now: dt.datetime, dry_run: bool = False, stop_on: tuple[type[Exception], ...] = ()) -> Outcome:
    """Apply every rule; one that fails does not stop the others.

    The rule that was tried longest ago goes first: one that never ends in time does not stop the others either.
    `stop_on` are errors that end the whole run (a time limit).
    """
    outcome = Outcome()
    token = _ends_run.set(stop_on)
    try:
        for name in _longest_untried_first():
            _apply(name, outcome, now=now, dry_run=dry_run)
    finally:
        _ends_run.reset(token)
    return outcome


def _apply(name: str, outcome: Outcome, *, now: dt.datetime, dry_run: bool) -> None:
    if not dry_run:
        _note(name, now, tried_at=now)  # before it begins, because its process may be killed
    try:
        with acting(reason=f"Kept long enough: {name}."):
            outcome.removed[name] = RULES[name].apply(now, dry_run)
    except Exception as error:
        outcome.failed[name] = type(error).__name__
        log.exception("retention_rule_failed", rule=name)
        if not dry_run:
            _note(name, now, error=type(error).__name__)
        if isinstance(error, _ends_run.get()):
            raise
    else:
        if not dry_run:
            _note(name, now, error="", completed_at=now)


def _longest_untried_first() -> list[str]:
    tried = dict(RetentionRuleState.objects.values_list("rule", "tried_at"))
    return sorted(RULES, key=lambda name: (tried.get(name) or dt.datetime.min.replace(tzinfo=dt.UTC), name))


def _note(name: str, now: dt.datetime, **fields: Any) -> None:
    RetentionRuleState.objects.update_or_create(
        rule=name, defaults=fields, create_defaults={"first_tried_at": now, "tried_at": now, **fields}
    )


def time_since_complete(*, now: dt.datetime) -> dict[str, dt.timedelta | None]:
    """How long ago each rule last ran to its end; None: never."""
    completed = dict(RetentionRuleState.objects.values_list("rule", "completed_at"))
    ages = {}
    for name in sorted(RULES):
        at = completed.get(name)
        ages[name] = now - at if at else None
    return ages


def overdue_rules(*, now: dt.datetime) -> list[str]:
    """Rules without a complete run for `OVERDUE`.

    Only rules that have been tried before.
    """
    states = {state.rule: state for state in RetentionRuleState.objects.filter(rule__in=RULES)}
    return sorted(name for name, one in states.items() if (one.completed_at or one.first_tried_at) <= now - OVERDUE)


def _database_clock() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return cast(dt.datetime, now)


#: Claims a day, or claims it again if its run began before the cut-off and has not ended.
_CLAIM_DAY = """
INSERT INTO people_retentionrun (day, began_at, removed) VALUES (%(day)s, %(now)s, '{}')
    ON CONFLICT (day) DO UPDATE SET began_at = EXCLUDED.began_at
 WHERE people_retentionrun.ended_at IS NULL AND people_retentionrun.began_at <= %(cut_off)s
RETURNING id
"""


def _claim(now: dt.datetime) -> int | None:
    """Claim today's run and return its id; None if another process has it, or it is complete."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_DAY, {"day": timezone.localdate(now), "now": now, "cut_off": now - CUT_OFF})
        row = cursor.fetchone()
    return row[0] if row else None


def apply_retention_once(*, now: dt.datetime, stop_on: tuple[type[Exception], ...] = ()) -> Outcome | None:
    """Apply every rule once a day after `NIGHT`; the outcome, or None.

    Call it every hour, from any number of schedulers. A run that was cut off, or in which a rule failed, is repeated
    by a later call. `now` counts up to the database's clock: a worker whose clock is ahead deletes nothing early.
    """
    now = min(now, _database_clock())
    if timezone.localtime(now).hour < NIGHT:
        return None
    number = _claim(now)
    if number is None:
        return None
    outcome = apply_retention(now=now, stop_on=stop_on)
    ended_at = None if outcome.failed else timezone.now()
    RetentionRun.objects.filter(pk=number).update(ended_at=ended_at, removed=outcome.removed)
    return outcome
