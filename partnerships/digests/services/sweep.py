"""One round of the sweep: process requests, spread new versions, and choose who is due a digest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.db import transaction

from partnerships.digests.planning.choosing import (
    FIRST,
    MAX_PEOPLE,
    admit_newcomers,
    choose,
    forget_what_was_told,
    spread,
)
from partnerships.digests.planning.matches import choose_matches
from partnerships.digests.planning.watermarks import one_at_a_time
from partnerships.digests.services.email_requests import take_up


def plan_in_parts(*, now: dt.datetime) -> Iterator[int]:
    """The same round, giving the first few chosen at once so that sending can begin while the others are chosen.

    While EMAILS_HELD nobody is chosen: what waits goes on waiting.
    """
    take_up(now=now)
    spread(now=now)
    admit_newcomers(now=now)
    if settings.EMAILS_HELD:
        return
    forget_what_was_told(now)
    limit = FIRST
    while chosen := choose(now=now, limit=limit):
        yield chosen
        limit = MAX_PEOPLE
    with transaction.atomic():
        one_at_a_time()
        chosen = choose_matches(now=now)
    if chosen:
        yield chosen


def plan_round(*, now: dt.datetime) -> int:
    """One round of the sweep: take up, spread, admit, choose; returns how many watermarks were chosen. Nothing waits: a
    few index look-ups."""
    return sum(plan_in_parts(now=now))
