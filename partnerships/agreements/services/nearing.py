"""Record that the review or the end of a partnership is near."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import DateKind, Partnership
from partnerships.agreements.queries.dates import dates_ahead, with_dates_within
from partnerships.agreements.services.recording import lock_partnership, record_event

#: From how many days before it a date counts as near.
NEAR = 30
_KINDS = {DateKind.REVIEW: EventKind.REVIEW_NEAR, DateKind.END: EventKind.END_NEAR}


def record_dates_near(*, now: dt.datetime) -> int:
    """Record near reviews and ends, once per date; returns how many."""
    today = timezone.localdate(now)
    near = [
        partnership.pk for partnership in with_dates_within(NEAR, today).order_by("pk") if _near(partnership, today)
    ]
    return sum(_record(pk, today, now) for pk in near)


def _near(partnership: Partnership, today: dt.date) -> list[tuple[EventKind, dt.date]]:
    """The review and the end if they are near."""
    until = today + dt.timedelta(days=NEAR)
    ahead = dates_ahead(partnership, today).items()
    return [(_KINDS[kind], day) for kind, day in ahead if kind in _KINDS and day <= until]


@transaction.atomic
def _record(pk: int, today: dt.date, now: dt.datetime) -> int:
    partnership = lock_partnership(pk)
    count = 0
    for event, day in _near(partnership, today):
        after = {"date": day.isoformat()}
        recorded = Event.objects.filter(target_kind="partnership", target_id=pk, kind=event, data__after=after)
        if not recorded.exists():
            record_event(partnership, event, author=None, now=now, data={"after": after})
            count += 1
    return count
