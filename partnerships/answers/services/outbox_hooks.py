"""What the outbox calls when an email comes in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from partnerships.answers.queries.replying import taking_replies
from partnerships.answers.reading import read_mail
from partnerships.answers.services.receiving import receive_mail, takes_reply
from partnerships.kit.time_limits import MAX_PARSING_SECONDS, time_limit
from partnerships.outbox.bounces import is_new
from partnerships.outbox.hooks import OutboxHooks, ReplyTo
from partnerships.outbox.reply_addresses import tokens_in


class AnswersHooks(OutboxHooks):
    """Takes in replies and forwarded emails."""

    def received(self, *, raw: bytes, now: dt.datetime) -> str:
        """Take in an email to one of our addresses, once."""
        with time_limit(MAX_PARSING_SECONDS):
            mail = read_mail(raw)
        if mail is None or not tokens_in(mail.recipients):
            return ""
        return receive_mail(mail=mail, now=now) if is_new(mail.event_id, now=now) else "known"

    def takes_reply(self, *, kind: str, params: Mapping[str, Any], person_id: int, now: dt.datetime) -> bool:
        """Whether a reply to this notice could become a comment or a draft conversation."""
        return takes_reply(kind=kind, params=params, person_id=person_id, now=now)

    def taking_replies(self, *, emails: Sequence[ReplyTo], now: dt.datetime) -> set[int]:
        """The emails to which a reply of their reader could become a comment or a draft conversation."""
        return taking_replies(emails, now)
