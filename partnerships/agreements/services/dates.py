"""What the clock does to partnerships: it starts, reviews and ends them."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Partnership, Status, has_run_out, has_status_on
from partnerships.agreements.services.recording import lock_partnership
from partnerships.agreements.services.steps import record_due_step


def record_due_steps(*, now: dt.datetime) -> int:
    """Record what start, review and end dates have done; the number of steps.

    Each partnership in its own transaction, so that one failure does not block the others. Starts come first: a
    successor that starts on the day after renews the old one before its end date ends it.
    """
    today = timezone.localdate(now)
    agreed = Q(status=Status.AGREED) & ~has_status_on(Status.AGREED, today)
    review = Q(status=Status.ACTIVE, review_on__lte=today)
    taken = 0
    for due in (agreed, review, has_run_out(today)):
        for pk in Partnership.objects.filter(due).order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                taken += record_due_step(lock_partnership(pk), now=now)
    return taken
