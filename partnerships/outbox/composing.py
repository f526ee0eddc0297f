"""Composes emails that have no person as recipient and were rendered when they were recorded, such as alerts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from partnerships.outbox.content import Rendered, build_message, ids_to_repeat
from partnerships.outbox.kinds import Batch, Candidate, Composer, DueEmail


class RenderedComposer(Composer):
    """The composer of emails to an address without a person, with a text that was rendered when they were recorded."""

    def candidates(self, due: Sequence[DueEmail], *, now: dt.datetime) -> list[Candidate]:
        """Return each email with the address that was recorded."""
        return [Candidate(email, email.address) for email in due]

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Build each message. Its text is deleted once a mail server has accepted the message."""
        repeatable_ids = ids_to_repeat(candidates)
        for email in candidates:
            if email.pk in repeatable_ids:
                batch.again.append(email)
                continue
            batch.messages[email.pk] = build_message(
                Rendered(**email.due.secrets),
                name="",
                address=email.address,
                message_id=email.due.message_id,
                is_secret=True,
                now=now,
            )
