"""Tasks that send scheduled reports and write files of long reports."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from partnerships.reports import services


@shared_task(ignore_result=True)
def send_due_reports() -> int:
    """Freeze and email the reports that are due. This is safe to repeat."""
    return services.send_due_reports(now=timezone.now(), stop_on=(SoftTimeLimitExceeded,))


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=840, time_limit=870)
def make_files() -> int:
    """Write the files that people have requested. This is safe to repeat."""
    return services.make_files(now=timezone.now())
