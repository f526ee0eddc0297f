"""Hooks of upper rooms for suppression, bounces and unsubscribing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from partnerships.outbox.models import Bounce, Email


class ReplyTo(NamedTuple):
    """An email, its reader, and what a reply would be about.

    A reply is about one of the `plans_read`, which its reader is known to read, of the `plans` or, of `plans_of`, the
    published plans of these partnerships. If its reader may write about none of them: about one of the `partnerships`.
    """

    email: int
    person_id: int
    is_stakeholder: bool
    plans_read: frozenset[int] = frozenset()
    plans: frozenset[int] = frozenset()
    plans_of: frozenset[int] = frozenset()
    partnerships: frozenset[int] = frozenset()


class NoticeTo(NamedTuple):
    """A notice and its reader."""

    email: int
    kind: str
    params: Mapping[str, Any]
    person_id: int
    is_stakeholder: bool


class StopLink(NamedTuple):
    """A link that stops emails like one.

    It has the address of its page up to the token, and the token.
    """

    page: str
    token: str


class OutboxHooks:
    """Base class that does nothing; upper rooms register instances."""

    def lock(self) -> None:
        """Take the locks for the other calls, before the outbox locks rows."""

    def suppressed(
        self, *, address: str, reason: str, email_id: int | None, author_id: int | None, now: dt.datetime
    ) -> None:
        """Notices and digests to this address stopped."""

    def released(self, *, address: str, author_id: int | None, now: dt.datetime) -> int:
        """The address is released; returns how many things are active again."""
        return 0

    def came_back(self, *, email: Email, bounce: Bounce) -> None:
        """An email bounced."""

    def delivered_before(self, *, lines: Sequence[dict[str, Any]], now: dt.datetime) -> None:
        """Emails that were accepted after the restored backup.

        `told` is what the journal has about the content of each.
        """

    def discarded(self, *, numbers: Collection[int], now: dt.datetime) -> None:
        """An operator discards these queued emails."""

    def received(self, *, raw: bytes, now: dt.datetime) -> str:
        """Another email came in; returns what became of it, "" if it is not ours."""
        return ""

    def notices_open_to_reply(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> set[int]:
        """The notices to which a reply of their reader could be used."""
        return set()

    def stop_links(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> dict[int, StopLink]:
        """How the readers of these notices stop emails like each, by its number."""
        return {}

    def emails_open_to_reply(self, *, emails: Sequence[ReplyTo], now: dt.datetime) -> set[int]:
        """The emails to which a reply of their reader could be used."""
        return set()

    def unsubscribed(self, *, address: str, now: dt.datetime) -> None:
        """The recipient unsubscribed at the mail provider."""


_registered: list[OutboxHooks] = []


def register_hooks(hooks: OutboxHooks) -> None:
    """Register hooks."""
    _registered.append(hooks)


def registered_hooks() -> tuple[OutboxHooks, ...]:
    """All registered hooks."""
    return tuple(_registered)
