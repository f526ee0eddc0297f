"""What happens to personal data by itself."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from partnerships.people.retention import apply_retention

log = structlog.get_logger(__name__)


@shared_task
def apply_retention_now() -> None:
    """Remove what is past its time; running it more often than nightly does no harm."""
    log.info(
        "retention_applied", **{name.replace(" ", "_"): n for name, n in apply_retention(now=timezone.now()).items()}
    )
