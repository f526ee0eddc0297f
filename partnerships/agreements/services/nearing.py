"""Record an event when the review or the end of a partnership is near."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import DateKind, Partnership
from partnerships.agreements.queries.dates import dates_ahead, partnerships_with_dates_within
from partnerships.agreements.services.recording import lock_partnership, record_event

#: A date is near from this many days before.
NEAR = 30
_KINDS = {DateKind.REVIEW: EventKind.REVIEW_NEAR, DateKind.END: EventKind.END_NEAR}


def record_dates_near(*, now: dt.datetime) -> int:
    """Record the reviews and ends that are near, once for each date, and return how many."""
    today = timezone.localdate(now)
    partnerships = partnerships_with_dates_within(NEAR, today).order_by("pk")
    partnership_ids = [partnership.pk for partnership in partnerships if _near_dates(partnership, today)]
    return sum(_record_near_dates(pk, today, now) for pk in partnership_ids)


def _near_dates(partnership: Partnership, today: dt.date) -> list[tuple[EventKind, dt.date]]:
    """Return the review and the end, if they are near, with the kind of event for each."""
    last_near_day = today + dt.timedelta(days=NEAR)
    dates = dates_ahead(partnership, today).items()
    return [(_KINDS[kind], day) for kind, day in dates if kind in _KINDS and day <= last_near_day]


@transaction.atomic
def _record_near_dates(partnership_id: int, today: dt.date, now: dt.datetime) -> int:
    """Record the near dates of one partnership that are not recorded yet, and return how many."""
    partnership = lock_partnership(partnership_id)
    count = 0
    for event, day in _near_dates(partnership, today):
        after = {"date": day.isoformat()}
        existing_events = Event.objects.filter(
            target_kind="partnership", target_id=partnership_id, kind=event, data__after=after
        )
        if not existing_events.exists():
            record_event(partnership, event, author=None, now=now, data={"after": after})
            count += 1
    return count
