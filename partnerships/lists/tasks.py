"""Tasks that check followed views and make files of long lists."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from partnerships.lists import services


@shared_task(ignore_result=True)
def check_followed_views() -> int:
    """Record emails about rows that entered or left followed views. May run twice."""
    return services.check_followed_views(now=timezone.now(), stop_on=(SoftTimeLimitExceeded,))


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=840, time_limit=870)
def make_files() -> int:
    """Make the files of lists that are waiting for a worker. May run twice."""
    return services.make_files(now=timezone.now())
