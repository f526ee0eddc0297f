"""Receivers of signals: a version was published, an address changed, a mail provider reported."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed
from anymail.signals import AnymailTrackingEvent, tracking
from django.dispatch import receiver
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.planning.choosing import record_publication
from partnerships.digests.tasks import sweep
from partnerships.kit.nudging import nudge_after_commit
from partnerships.outbox.providers import process_event
from partnerships.people.models import User
from partnerships.plans.models import Version
from partnerships.plans.signals import version_published


@receiver(version_published, dispatch_uid="digests.version_published")
def on_version_published(sender: Any, version: Version, **kwargs: Any) -> None:
    """Record the version, and nudge a worker after the commit."""
    record_publication(version=version, now=timezone.now())
    nudge_after_commit(lambda: sweep.apply_async(expires=30))


@receiver(email_changed, dispatch_uid="digests.email_changed")
def on_email_changed(user: User, from_email_address: EmailAddress | None = None, **kwargs: Any) -> None:
    """Hide the new address of an account from partners who typed the old one, and store a refusal for the old one."""
    services.hide_new_address(person=user)
    if from_email_address is not None:
        services.keep_refusal_of(address=from_email_address.email, person=user, now=timezone.now())


@receiver(tracking, dispatch_uid="digests.provider_said")
def on_provider_said(sender: Any, event: AnymailTrackingEvent, **kwargs: Any) -> None:
    """Handle a mail provider's report about an email."""
    process_event(event, now=timezone.now())
