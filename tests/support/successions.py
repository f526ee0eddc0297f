"""Successions as tests need them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from partnerships.kit.dates import known_day
from partnerships.organisations.models import Organisation, Succession
from partnerships.organisations.services import record_succession, ties_between
from partnerships.people.models import User


def follow(
    predecessors: Sequence[Organisation],
    successors: Sequence[Organisation],
    *,
    kind: str = "merge",
    on: dt.date | None = None,
    author: User | None = None,
    now: dt.datetime | None = None,
) -> Succession:
    """A succession in effect since a day, by default today."""
    return record_succession(
        kind=kind,
        status="effective",
        vests_on=known_day(on or timezone.localdate()),
        ties=ties_between(predecessors, successors),
        author=author,
        now=now or timezone.now(),
    )
