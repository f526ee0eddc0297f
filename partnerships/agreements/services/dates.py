"""Store the status of partnerships whose start, review or end date has come."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Partnership, Status, has_run_out, has_status_on
from partnerships.agreements.services.recording import lock_partnership
from partnerships.agreements.services.steps import record_due_step


def record_due_steps(*, now: dt.datetime) -> int:
    """Store each new status that follows from a date, and return the number of changes.

    Each partnership has its own transaction, so that one failure does not undo the others. Starts are stored first. For
    example, a partnership ends on 31 March, and its successor starts on 1 April. The successor must mark it as renewed
    before the job would mark it as ended.
    """
    today = timezone.localdate(now)
    start_is_due = Q(status=Status.AGREED) & ~has_status_on(Status.AGREED, today)
    review_is_due = Q(status=Status.ACTIVE, review_on__lte=today)
    changes = 0
    for condition in (start_is_due, review_is_due, has_run_out(today)):
        for pk in Partnership.objects.filter(condition).order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                changes += record_due_step(lock_partnership(pk), now=now)
    return changes
