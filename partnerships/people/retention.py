"""How long things are kept: every room registers its rules, the nightly job applies them, docs/privacy.md prints
them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from partnerships.kit.accounting import acting


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
