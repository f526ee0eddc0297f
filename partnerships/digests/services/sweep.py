"""One round of the sweep: processes requests, announces versions and changes, and chooses whose digests are due."""

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
from partnerships.digests.planning.notices import choose_notices
from partnerships.digests.planning.subjects import spread_changes
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.services.email_requests import process_requests


def run_in_parts(*, now: dt.datetime) -> Iterator[int]:
    """Run a round, and yield after each batch how many were chosen, so that sending can begin early.

    With EMAILS_HELD, no digests are chosen.
    """
    process_requests(now=now)
    spread(now=now)
    spread_changes(now=now)
    admit_newcomers(now=now)
    if settings.EMAILS_HELD:
        return
    clear_already_sent(now)
    limit = FIRST
    while chosen_count := choose(now=now, limit=limit):
        yield chosen_count
        limit = MAX_PEOPLE
    with transaction.atomic():
        lock_planning()
        chosen_count = choose_matches(now=now) + choose_notices(now=now)
    if chosen_count:
        yield chosen_count


def plan_round(*, now: dt.datetime) -> int:
    """Run a whole round, and return how many watermarks, matches and notices were chosen.

    If nothing waits, a round only needs a few look-ups by index.
    """
    return sum(run_in_parts(now=now))
