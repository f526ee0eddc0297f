"""What happens to personal data by itself."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from partnerships.people.retention import apply_retention_once

log = structlog.get_logger(__name__)


@shared_task
def apply_retention_now() -> None:
    """Every hour: remove what is past its time, once a day."""
    removed = apply_retention_once(now=timezone.now())
    if removed is not None:
        log.info("retention_applied", **{name.replace(" ", "_"): count for name, count in removed.items()})
