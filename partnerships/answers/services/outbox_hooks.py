"""Hooks that the outbox calls about incoming emails and replies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from partnerships.answers.queries.replying import emails_open_to_reply, notices_open_to_reply
from partnerships.answers.reading import read_mail
from partnerships.answers.services.receiving import receive_mail
from partnerships.kit.time_limits import MAX_PARSING_SECONDS, time_limit
from partnerships.outbox.bounces import mark_report_processed
from partnerships.outbox.hooks import NoticeTo, OutboxHooks, ReplyTo
from partnerships.outbox.reply_addresses import tokens_in


class AnswersHooks(OutboxHooks):
    """Receive replies and forwarded emails, and decide which emails can be replied to."""

    def received(self, *, raw: bytes, now: dt.datetime) -> str:
        """Receive an email to one of our addresses, and return what the email became.

        Returns "" if the email is not for this room, and "known" if the email was received before.
        """
        with time_limit(MAX_PARSING_SECONDS):
            mail = read_mail(raw)
        if mail is None or not tokens_in(mail.recipients):
            return ""
        if not mark_report_processed(mail.event_id, now=now):
            return "known"
        return receive_mail(mail=mail, now=now)

    def notices_open_to_reply(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> set[int]:
        """Return the ids of the notices to which a reply could become a comment or a draft conversation."""
        return notices_open_to_reply(notices, now)

    def emails_open_to_reply(self, *, emails: Sequence[ReplyTo], now: dt.datetime) -> set[int]:
        """Return the ids of the emails to which a reply could become a comment or a draft conversation."""
        return emails_open_to_reply(emails, now)
