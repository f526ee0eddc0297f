"""What the outbox calls when an email comes in."""

from __future__ import annotations

import datetime as dt

from partnerships.answers.reading import read_mail
from partnerships.answers.services.receiving import receive_mail
from partnerships.outbox.bounces import is_new
from partnerships.outbox.hooks import OutboxHooks
from partnerships.outbox.reply_addresses import tokens_in


class AnswersHooks(OutboxHooks):
    """Takes in replies and forwarded emails."""

    def received(self, *, raw: bytes, now: dt.datetime) -> str:
        """Take in an email to one of our addresses, once."""
        mail = read_mail(raw)
        if mail is None or not tokens_in(mail.recipients):
            return ""
        return receive_mail(mail=mail, now=now) if is_new(mail.event_id, now=now) else "known"
