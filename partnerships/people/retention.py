"""Delete data that has been stored long enough. Rooms register rules, and a nightly job applies them."""

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
Item = TypeVar("Item")
Rows = TypeVar("Rows", bound=QuerySet[Any])

#: The hour in London from which a day's run may start.
NIGHT = 2
#: How long an unfinished run blocks the next attempt.
CUT_OFF = dt.timedelta(minutes=50)
#: The number of rows that one transaction deletes or changes.
BATCH = 1_000
#: A rule that has not completed for this long is reported to the operators.
OVERDUE = dt.timedelta(days=2)
#: How long the file of a removed document or attachment is stored, and the same in words.
REMOVED_KEPT = dt.timedelta(days=365)
REMOVED_KEPT_FOR = "12 months after they were removed"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """A retention rule, with words that say which data is stored, why, on which legal basis and how long.

    `apply(now, dry_run)` removes data that has been stored long enough, or only counts it, and returns the number. It
    runs outside a transaction and commits in batches, so that work before a failure is not lost. Use
    `delete_in_batches` or `change_in_batches` for rows, and `count_successes` if a service removes each item.
    """

    what: str
    purpose: str
    basis: str
    kept_for: str
    apply: Callable[[dt.datetime, bool], int]


RULES: dict[str, RetentionRule] = {}
#: Errors that end the present run immediately, for example a time limit.
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
    """Register a rule under a short name; a later rule with the same name replaces it."""
    RULES[name] = RetentionRule(what=what, purpose=purpose, basis=basis, kept_for=kept_for, apply=apply)


@dataclass(frozen=True, slots=True)
class RetentionOutcome:
    """The number of items that each rule removed, or would remove in a dry run, and the errors of failed rules."""

    removed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def delete_in_batches(rows: QuerySet[Model], *, dry_run: bool) -> int:
    """Delete rows, `BATCH` in each transaction, or only count them.

    Returns the number of rows, without those that were deleted by cascade.
    """
    if dry_run:
        return rows.count()
    removed_count = 0
    while batch_ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        _, deleted_by_model = rows.filter(pk__in=batch_ids).delete()
        removed_count += deleted_by_model.get(rows.model._meta.label, 0)
        if len(batch_ids) < BATCH:
            break
    return removed_count


def change_in_batches(rows: Rows, change: Callable[[Rows], int], *, dry_run: bool) -> int:
    """Change rows, `BATCH` in each transaction, or only count them.

    `change` returns the number of rows that it changed.
    """
    if dry_run:
        return rows.count()
    changed_count = 0
    last_id = 0
    while batch_ids := list(rows.filter(pk__gt=last_id).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            changed_count += change(rows.filter(pk__in=batch_ids))
        last_id = batch_ids[-1]
    return changed_count


def count_successes(items: Iterable[Item], act: Callable[[Item], object]) -> int:
    """Call `act` with each item, and return the number of calls that succeeded.

    A failure does not stop the other calls. The first failure is raised at the end. Errors that end the run are raised
    immediately.
    """
    count = 0
    failure = None
    for item in items:
        try:
            act(item)
        except Exception as error:
            if isinstance(error, _ends_run.get()):
                raise
            failure = failure or error
        else:
            count += 1
    if failure is not None:
        raise failure
    return count


def delete_files(rows: QuerySet[Any], *, dry_run: bool) -> int:
    """Delete the stored files of these rows, and return their number; the rows keep title and fingerprint."""
    rows_with_file = rows.exclude(file="")
    if dry_run:
        return rows_with_file.count()
    ids = list(rows_with_file.order_by("pk").values_list("pk", flat=True))
    return count_successes(ids, partial(_drop_file, rows_with_file))


@transaction.atomic
def _drop_file(rows_with_file: QuerySet[Any], pk: int) -> None:
    row = rows_with_file.select_for_update().filter(pk=pk).first()
    if row is None:  # restored, or dropped by another run, in the meantime
        return
    # The file is deleted first. If the storage fails, the row still names the file, and the next run tries again.
    row.file.storage.delete(str(row.file.name))
    rows_with_file.model._default_manager.filter(pk=pk).update(file="")


def apply_retention(
    *, now: dt.datetime, dry_run: bool = False, stop_on: tuple[type[Exception], ...] = ()
) -> RetentionOutcome:
    """Apply every rule. A rule that fails does not stop the other rules.

    A rule that never finishes in time does not stop them either, because the rule that was tried longest ago is applied
    first. `stop_on` are errors, such as a time limit, that end the whole run.
    """
    outcome = RetentionOutcome()
    token = _ends_run.set(stop_on)
    try:
        for name in _rules_by_last_attempt():
            _apply_rule(name, outcome, now=now, dry_run=dry_run)
    finally:
        _ends_run.reset(token)
    return outcome


def _apply_rule(name: str, outcome: RetentionOutcome, *, now: dt.datetime, dry_run: bool) -> None:
    """Apply one rule, and add its count or failure to the outcome."""
    if not dry_run:
        _save_state(name, now, tried_at=now)  # before the rule starts, because its process may be killed
    try:
        with acting(reason=f"Kept long enough: {name}."):
            outcome.removed[name] = RULES[name].apply(now, dry_run)
    except Exception as error:
        outcome.failed[name] = type(error).__name__
        log.exception("retention_rule_failed", rule=name)
        if not dry_run:
            _save_state(name, now, error=type(error).__name__)
        if isinstance(error, _ends_run.get()):
            raise
    else:
        if not dry_run:
            _save_state(name, now, error="", completed_at=now)


def _rules_by_last_attempt() -> list[str]:
    """Return the names of the rules, untried rules first, then the rule that was tried longest ago."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    tried_at_by_rule = dict(RetentionRuleState.objects.values_list("rule", "tried_at"))
    return sorted(RULES, key=lambda name: (tried_at_by_rule.get(name, never), name))


def _save_state(name: str, now: dt.datetime, **fields: Any) -> None:
    RetentionRuleState.objects.update_or_create(
        rule=name, defaults=fields, create_defaults={"first_tried_at": now, "tried_at": now, **fields}
    )


def time_since_complete(*, now: dt.datetime) -> dict[str, dt.timedelta | None]:
    """Return how long ago each rule last completed; None if it never completed."""
    completed_at_by_rule = dict(RetentionRuleState.objects.values_list("rule", "completed_at"))
    ages = {}
    for name in sorted(RULES):
        completed_at = completed_at_by_rule.get(name)
        ages[name] = now - completed_at if completed_at else None
    return ages


def overdue_rules(*, now: dt.datetime) -> list[str]:
    """Return the rules that have been tried but have not completed for `OVERDUE`."""
    return sorted(
        state.rule
        for state in RetentionRuleState.objects.filter(rule__in=RULES)
        if (state.completed_at or state.first_tried_at) <= now - OVERDUE
    )


def _database_clock() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return cast(dt.datetime, now)


#: Claims a day for a run, or claims the day again if its run began before the cut-off and has not ended.
_CLAIM_DAY = """
INSERT INTO people_retentionrun (day, began_at, removed)
VALUES (%(day)s, %(now)s, '{}')
    ON CONFLICT (day) DO UPDATE
   SET began_at = EXCLUDED.began_at
 WHERE people_retentionrun.ended_at IS NULL
   AND people_retentionrun.began_at <= %(cut_off)s
RETURNING id
"""


def _claim_today(now: dt.datetime) -> int | None:
    """Claim today's run, and return its id; None if another process has claimed it or it is complete."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_DAY, {"day": timezone.localdate(now), "now": now, "cut_off": now - CUT_OFF})
        row = cursor.fetchone()
    return row[0] if row else None


def apply_retention_once(*, now: dt.datetime, stop_on: tuple[type[Exception], ...] = ()) -> RetentionOutcome | None:
    """Apply every rule, at most once a day and after `NIGHT`; return None if nothing is due.

    Call this function every hour, from any number of schedulers. A later call repeats a run that was cut off or in
    which a rule failed. If `now` is after the database's time, the database's time is used. A worker with a clock that
    is ahead must not delete anything early.
    """
    now = min(now, _database_clock())
    if timezone.localtime(now).hour < NIGHT:
        return None
    run_id = _claim_today(now)
    if run_id is None:
        return None
    outcome = apply_retention(now=now, stop_on=stop_on)
    ended_at = None if outcome.failed else timezone.now()
    RetentionRun.objects.filter(pk=run_id).update(ended_at=ended_at, removed=outcome.removed)
    return outcome
