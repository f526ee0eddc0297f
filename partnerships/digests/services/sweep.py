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
    clear_already_sent,
    spread,
)
from partnerships.digests.planning.matches import choose_matches
from partnerships.digests.planning.watermarks import lock_planning
from partnerships.digests.services.email_requests import process_requests


def run_in_parts(*, now: dt.datetime) -> Iterator[int]:
    """The same round, giving the first few chosen at once so that sending can begin while the others are chosen.

    While EMAILS_HELD nobody is chosen: what waits goes on waiting.
    """
    process_requests(now=now)
    spread(now=now)
    admit_newcomers(now=now)
    if settings.EMAILS_HELD:
        return
    clear_already_sent(now)
    limit = FIRST
    while chosen := choose(now=now, limit=limit):
        yield chosen
        limit = MAX_PEOPLE
    with transaction.atomic():
        lock_planning()
        chosen = choose_matches(now=now)
    if chosen:
        yield chosen


def plan_round(*, now: dt.datetime) -> int:
    """One round of the sweep: take up, spread, admit, choose; returns how many watermarks were chosen. Nothing waits: a
    few index look-ups."""
    return sum(run_in_parts(now=now))
