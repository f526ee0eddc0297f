"""Tasks that send scheduled reports and make files of long reports."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from partnerships.reports import services


@shared_task(ignore_result=True)
def send_due_reports() -> int:
    """Freeze and email the reports that are due. It can be repeated."""
    return services.send_due_reports(now=timezone.now(), stop_on=(SoftTimeLimitExceeded,))


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=840, time_limit=870)
def make_files() -> int:
    """Make the files that people have asked for. It can be repeated."""
    return services.make_files(now=timezone.now())
