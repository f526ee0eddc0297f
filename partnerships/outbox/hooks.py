"""Hooks with which upper rooms follow suppressions, bounces and incoming email."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from partnerships.outbox.models import Bounce, Email


class ReplyTo(NamedTuple):
    """An email, its reader, and the records that a reply to it could be about.

    A reply is about a plan if its reader may write about one; otherwise it is about one of the `partnership_ids`. The
    plans in question are, in this order: the `readable_plan_ids`, which the reader is known to read; the `plan_ids`;
    and every published plan of the `published_in_ids`, which are partnerships.
    """

    email_id: int
    person_id: int
    is_stakeholder: bool
    readable_plan_ids: frozenset[int] = frozenset()
    plan_ids: frozenset[int] = frozenset()
    published_in_ids: frozenset[int] = frozenset()
    partnership_ids: frozenset[int] = frozenset()


class NoticeTo(NamedTuple):
    """A notice and its reader."""

    email_id: int
    kind: str
    params: Mapping[str, Any]
    person_id: int
    is_stakeholder: bool


class StopLink(NamedTuple):
    """A link that stops emails like the one that contains it.

    `page` is the address up to the token.
    """

    page: str
    token: str


class OutboxHooks:
    """Base class whose methods do nothing; upper rooms register instances of subclasses."""

    def lock(self) -> None:
        """Take the locks that the other hooks need, before the outbox locks any rows."""

    def suppressed(
        self, *, address: str, reason: str, email_id: int | None, author_id: int | None, now: dt.datetime
    ) -> None:
        """Act on the suppression of an address, which gets no more notices and digests."""

    def released(self, *, address: str, author_id: int | None, now: dt.datetime) -> int:
        """Act on the release of an address; returns how many subscriptions are active again."""
        return 0

    def came_back(self, *, email: Email, bounce: Bounce) -> None:
        """Act on the bounce of an email."""

    def delivered_before(self, *, lines: Sequence[dict[str, Any]], now: dt.datetime) -> None:
        """Act on emails that a server accepted after the backup that has just been restored.

        `lines` are the lines of the journal about them; `told` in a line says what the email told its reader.
        """

    def discarded(self, *, email_ids: Collection[int], now: dt.datetime) -> None:
        """Act on the discarding of these queued emails by an administrator of the server."""

    def received(self, *, raw: bytes, now: dt.datetime) -> str:
        """Act on an incoming email that is no bounce; returns what became of it, "" if it is not for this room."""
        return ""

    def notices_open_to_reply(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> set[int]:
        """Return the ids of the notices to which a reply from their reader could be used."""
        return set()

    def stop_links(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> dict[int, StopLink]:
        """Return, by email id, the link with which the reader stops notices like this one."""
        return {}

    def emails_open_to_reply(self, *, emails: Sequence[ReplyTo], now: dt.datetime) -> set[int]:
        """Return the ids of the emails to which a reply from their reader could be used."""
        return set()

    def unsubscribed(self, *, address: str, now: dt.datetime) -> None:
        """Act on a person unsubscribing at the mail provider."""


_registered_hooks: list[OutboxHooks] = []


def register_hooks(hooks: OutboxHooks) -> None:
    """Register the hooks of an upper room, at start-up."""
    _registered_hooks.append(hooks)


def registered_hooks() -> tuple[OutboxHooks, ...]:
    """Return all hooks, in the order of registration."""
    return tuple(_registered_hooks)
