"""What digests do when a version is published (write down that it waits, nudge a worker after commit), and when a
mail provider reports."""

from __future__ import annotations

from typing import Any

import structlog
from anymail.signals import AnymailTrackingEvent, tracking
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from partnerships.digests.planning.choosing import record_publication
from partnerships.digests.tasks import sweep
from partnerships.outbox.providers import act_on
from partnerships.plans.models import Version
from partnerships.plans.signals import version_published

log = structlog.get_logger(__name__)


@receiver(version_published, dispatch_uid="digests.version_published")
def on_version_published(sender: Any, version: Version, **kwargs: Any) -> None:
    """Remember the version with the transaction that publishes it; publishing never waits for the broker."""
    record_publication(version=version, now=timezone.now())
    transaction.on_commit(nudge, robust=True)


@receiver(tracking, dispatch_uid="digests.provider_said")
def on_provider_said(sender: Any, event: AnymailTrackingEvent, **kwargs: Any) -> None:
    """A mail provider says what became of a letter."""
    act_on(event, now=timezone.now())


def nudge() -> None:
    """Wake a worker; what a lost nudge missed, the sweep finds."""
    try:
        sweep.apply_async(expires=30)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the broker, the version is published and the sweep will find it
        log.warning("nudge_lost", kind=type(error).__name__)
