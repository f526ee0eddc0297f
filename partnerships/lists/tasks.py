"""The sweep over followed views."""

from __future__ import annotations

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from partnerships.lists import services


@shared_task(ignore_result=True)
def check_followed_views() -> int:
    """Record emails about what entered or left followed views; may run twice."""
    return services.check_followed_views(now=timezone.now(), stop_on=(SoftTimeLimitExceeded,))
