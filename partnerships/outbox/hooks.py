"""What upper rooms do when an address is suppressed or released, an email comes back, or somebody unsubscribes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from partnerships.outbox.models import Bounce, Email


class OutboxHooks:
    """Base class: does nothing. An upper room registers an instance at start-up."""

    def lock(self) -> None:
        """Take the locks that the other calls need, before the outbox locks any row."""

    def suppressed(
        self, *, address: str, reason: str, email_id: int | None, author_id: int | None, now: dt.datetime
    ) -> None:
        """Nothing is sent to this address any more."""

    def released(self, *, address: str, author_id: int | None, now: dt.datetime) -> int:
        """Emails may go to this address again. Returns how many things are active again."""
        return 0

    def came_back(self, *, email: Email, bounce: Bounce) -> None:
        """An email was not received."""

    def delivered_before(self, *, lines: Sequence[dict[str, Any]], now: dt.datetime) -> None:
        """After a restore: emails that a server accepted, as the journal has them, with what was `told` in each."""

    def discarded(self, *, numbers: Collection[int], now: dt.datetime) -> None:
        """An operator discards these queued emails."""

    def unsubscribed(self, *, address: str, now: dt.datetime) -> None:
        """The recipient told the mail provider that they want no more."""


_registered: list[OutboxHooks] = []


def register_hooks(hooks: OutboxHooks) -> None:
    """Have these called."""
    _registered.append(hooks)


def registered_hooks() -> tuple[OutboxHooks, ...]:
    """All that are registered."""
    return tuple(_registered)
