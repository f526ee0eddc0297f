"""How long things are kept: every room registers its rules, the nightly job applies them, docs/privacy.md prints
them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from partnerships.kit.accounting import acting
from partnerships.people.models import RetentionRun

#: The hour, in London, from which a day's run may begin, and after how long without an end one was cut off.
NIGHT = 2
CUT_OFF = dt.timedelta(minutes=50)


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """What is kept, for what purpose and on which basis, for how long; and how what is over goes.

    `apply(now, dry_run)` removes (or only counts) what is past its time and returns how many things those were.
    """

    what: str
    purpose: str
    basis: str
    kept_for: str
    apply: Callable[[dt.datetime, bool], int]


RULES: dict[str, RetentionRule] = {}


def register_retention(
    name: str,
    *,
    what: str,
    purpose: str,
    basis: str,
    kept_for: str,
    apply: Callable[[dt.datetime, bool], int],
) -> None:
    """Add a rule under a short name; made again under the same name, it replaces the first."""
    RULES[name] = RetentionRule(what, purpose, basis, kept_for, apply)


def apply_retention(*, now: dt.datetime, dry_run: bool = False) -> dict[str, int]:
    """Apply every rule, each in a transaction of its own; how many things each removed or, in a dry run, would
    remove."""
    counts = {}
    for name in sorted(RULES):
        with transaction.atomic(), acting(reason=f"Kept long enough: {name}."):
            counts[name] = RULES[name].apply(now, dry_run)
    return counts


def _claim(now: dt.datetime) -> int | None:
    """Claim today's run: nobody has, or whoever did was cut off; its number, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_retentionrun (day, began_at, removed) VALUES (%s, %s, '{}')"
            " ON CONFLICT (day) DO UPDATE SET began_at = EXCLUDED.began_at"
            " WHERE people_retentionrun.ended_at IS NULL AND people_retentionrun.began_at <= %s RETURNING id",
            [timezone.localdate(now), now, now - CUT_OFF],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def apply_retention_once(*, now: dt.datetime) -> dict[str, int] | None:
    """Apply every rule if it is past `NIGHT` and today's run has not been claimed; what went, or None.

    Call every hour: a clock that starts anew each morning, or two of them, run it once a day all the same, and a run
    that was cut off is taken up by a later tick.
    """
    if timezone.localtime(now).hour < NIGHT:
        return None
    number = _claim(now)
    if number is None:
        return None
    removed = apply_retention(now=now)
    RetentionRun.objects.filter(pk=number).update(ended_at=timezone.now(), removed=removed)
    return removed
