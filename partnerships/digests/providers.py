"""What mail providers report of our letters, as anymail reads it: bounces, complaints, wishes to stop."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.base import AnymailBaseWebhookView
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView

from partnerships.digests.bounces import note_bounce
from partnerships.digests.models import Bounce
from partnerships.digests.services import stop_everything
from partnerships.people.services import find_person

#: The last part of the address to give to the provider, and what reads and checks its reports.
PROVIDERS: dict[str, type[AnymailBaseWebhookView]] = {
    "brevo": BrevoTrackingWebhookView,
    "mailersend": MailerSendTrackingWebhookView,
    "mailgun": MailgunTrackingWebhookView,
    "mailjet": MailjetTrackingWebhookView,
    "mandrill": MandrillCombinedWebhookView,
    "postmark": PostmarkTrackingWebhookView,
    "sendgrid": SendGridTrackingWebhookView,
    "sparkpost": SparkPostTrackingWebhookView,
}
_HARD = (RejectReason.INVALID, RejectReason.BOUNCED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a report means to us."""

    kind: str
    text: str


def verdict(event: AnymailTrackingEvent) -> Verdict | None:
    """Hard for an address that is none, soft for what may pass, a complaint for who marked us; None for the rest."""
    text = str(event.mta_response or event.description or event.reject_reason or event.event_type)
    if event.event_type == EventType.COMPLAINED:
        return Verdict(Bounce.Kind.COMPLAINT, text)
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED):
        return Verdict(Bounce.Kind.HARD if event.reject_reason in _HARD else Bounce.Kind.SOFT, text)
    if event.event_type == EventType.DEFERRED:
        return Verdict(Bounce.Kind.SOFT, text)
    return None


def act_on(event: AnymailTrackingEvent, *, now: dt.datetime) -> None:
    """Write down what came back, or stop whoever asked the provider for it."""
    if event.event_type == EventType.UNSUBSCRIBED:
        person = find_person(event.recipient or "")
        if person is not None:
            stop_everything(
                person=person, author=person, reason="Stopped by the person, at the mail provider.", now=now
            )
        return
    said = verdict(event)
    if said is not None:
        note_bounce(
            kind=said.kind,
            address=event.recipient or "",
            text=said.text,
            message_id=event.message_id or "",
            provider_id=event.message_id or "",
            event_id=(event.event_id or "")[:200],
            now=now,
        )
