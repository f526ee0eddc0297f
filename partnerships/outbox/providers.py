"""Reports of mail providers, read by anymail: bounces, complaints, stops."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from partnerships.outbox.answers import is_about_us
from partnerships.outbox.bounces import note_bounce
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.models import Bounce

#: The last part of the webhook address, and the view that checks and reads its reports. Imported at the first report:
#: workers do not need it.
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
_HARD = (RejectReason.INVALID, RejectReason.BOUNCED)
_POLICY = (RejectReason.BLOCKED, RejectReason.SPAM)


def reader_of(provider: str) -> Callable[[HttpRequest], HttpResponse]:
    """The view that checks and reads this provider's reports."""
    view: Callable[[HttpRequest], HttpResponse] = import_string(PROVIDERS[provider]).as_view()
    return view


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a report means for us."""

    kind: str
    text: str


def verdict(event: AnymailTrackingEvent) -> Verdict | None:
    """The meaning of a report; None if it is not about a failure.

    Hard: no such mailbox. Soft: may work later. Complaint: marked as spam. Refused by a policy and delayed do not
    count.
    """
    text = str(event.mta_response or event.description or event.reject_reason or event.event_type)
    if event.event_type == EventType.COMPLAINED:
        return Verdict(Bounce.Kind.COMPLAINT, text)
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED):
        return Verdict(_kind_of(event, text), text)
    if event.event_type == EventType.DEFERRED:
        return Verdict(Bounce.Kind.DELAYED, text)
    return None


def _kind_of(event: AnymailTrackingEvent, text: str) -> str:
    if event.reject_reason in _POLICY or is_about_us(text):
        return Bounce.Kind.REFUSED
    return Bounce.Kind.HARD if event.reject_reason in _HARD else Bounce.Kind.SOFT


def _event_id(event: AnymailTrackingEvent) -> str:
    """The provider's id of the event, or one made from its content."""
    made_of = f"{event.message_id} {event.event_type} {event.timestamp} {event.recipient}"
    return event.event_id or f"made:{hashlib.sha256(made_of.encode()).hexdigest()}"


def act_on(event: AnymailTrackingEvent, *, now: dt.datetime) -> None:
    """Record a bounce, or end the digests of somebody who unsubscribed."""
    if event.event_type == EventType.UNSUBSCRIBED:
        for hooks in registered_hooks():
            hooks.unsubscribed(address=event.recipient or "", now=now)
        return
    said = verdict(event)
    if said is not None:
        note_bounce(
            kind=said.kind,
            address=event.recipient or "",
            text=said.text,
            message_id=event.message_id or "",
            provider_id=event.message_id or "",
            event_id=_event_id(event)[:200],
            now=now,
        )
