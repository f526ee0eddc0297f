"""Acts on bounces, complaints and requests to unsubscribe that mail providers report, and that anymail reads."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from partnerships.outbox.answers import refuses_this_server
from partnerships.outbox.bounces import note_bounce
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.models import Bounce

#: The view that checks and reads each provider's reports, by the last part of the webhook's address. A view is imported
#: with its first report, because workers do not need it.
PROVIDERS = {
    "brevo": "anymail.webhooks.brevo.BrevoTrackingWebhookView",
    "mailersend": "anymail.webhooks.mailersend.MailerSendTrackingWebhookView",
    "mailgun": "anymail.webhooks.mailgun.MailgunTrackingWebhookView",
    "mailjet": "anymail.webhooks.mailjet.MailjetTrackingWebhookView",
    "mandrill": "anymail.webhooks.mandrill.MandrillCombinedWebhookView",
    "postmark": "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
    "sendgrid": "anymail.webhooks.sendgrid.SendGridTrackingWebhookView",
    "sparkpost": "anymail.webhooks.sparkpost.SparkPostTrackingWebhookView",
}
_HARD_REASONS = (RejectReason.INVALID, RejectReason.BOUNCED)
_POLICY_REASONS = (RejectReason.BLOCKED, RejectReason.SPAM)


def report_view(provider: str) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view that checks and reads the reports of this provider."""
    view: Callable[[HttpRequest], HttpResponse] = import_string(PROVIDERS[provider]).as_view()
    return view


@dataclass(frozen=True, slots=True)
class BounceVerdict:
    """The kind of bounce that a report is about, and the server's text."""

    kind: str
    text: str


def bounce_verdict(event: AnymailTrackingEvent) -> BounceVerdict | None:
    """Return the kind of bounce that a report is about, or None if no email has failed."""
    text = str(event.mta_response or event.description or event.reject_reason or event.event_type)
    if event.event_type == EventType.COMPLAINED:
        return BounceVerdict(Bounce.Kind.COMPLAINT, text)
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED):
        return BounceVerdict(_kind_of(event, text), text)
    if event.event_type == EventType.DEFERRED:
        return BounceVerdict(Bounce.Kind.DELAYED, text)
    return None


def _kind_of(event: AnymailTrackingEvent, text: str) -> str:
    if event.reject_reason in _POLICY_REASONS or refuses_this_server(text):
        return Bounce.Kind.REFUSED
    return Bounce.Kind.HARD if event.reject_reason in _HARD_REASONS else Bounce.Kind.SOFT


def _event_id(event: AnymailTrackingEvent) -> str:
    """Return the provider's id of the event, or an id made from its content."""
    if event.event_id:
        return str(event.event_id)
    content = f"{event.message_id} {event.event_type} {event.timestamp} {event.recipient}"
    return f"made:{hashlib.sha256(content.encode()).hexdigest()}"


def process_event(event: AnymailTrackingEvent, *, now: dt.datetime) -> None:
    """Record the bounce that a report is about, or end the digests of a person who unsubscribed."""
    if event.event_type == EventType.UNSUBSCRIBED:
        for hooks in registered_hooks():
            hooks.unsubscribed(address=event.recipient or "", now=now)
        return
    bounce = bounce_verdict(event)
    if bounce is not None:
        note_bounce(
            kind=bounce.kind,
            address=event.recipient or "",
            text=bounce.text,
            message_id=event.message_id or "",
            provider_id=event.message_id or "",
            event_id=_event_id(event)[:200],
            now=now,
        )
