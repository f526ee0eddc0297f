"""Hooks with which upper rooms act on suppressions, bounces and incoming emails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from partnerships.outbox.models import Bounce, Email


class ReplyTo(NamedTuple):
    """An email, its reader, and the records that a reply could be about.

    If the reader may write about one of the plans, the reply is about that plan. If not, it is about one of the
    partnerships `partnership_ids`. The plans are tried in this order:

    1. `readable_plan_ids`, the plans that this reader may certainly read.
    2. `plan_ids`, other plans in the email.
    3. Every published plan of the partnerships `published_in_ids`.
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
    """A link that stops emails of the same sort as the email that contains the link.

    `page` is the address up to the token.
    """

    page: str
    token: str


class OutboxHooks:
    """Base class of hooks. Its methods do nothing, and upper rooms register instances of subclasses."""

    def lock(self) -> None:
        """Acquire the locks that the other hooks need, before the outbox locks any rows."""

    def suppressed(
        self, *, address: str, reason: str, email_id: int | None, author_id: int | None, now: dt.datetime
    ) -> None:
        """Act on the suppression of an address, which gets no more notices and digests."""

    def released(self, *, address: str, author_id: int | None, now: dt.datetime) -> int:
        """Act on the release of an address, and return how many subscriptions are active again."""
        return 0

    def bounced(self, *, email: Email, bounce: Bounce) -> None:
        """Act on a bounce of an email, after it was recorded."""

    def delivered_before(self, *, lines: Sequence[dict[str, Any]], now: dt.datetime) -> None:
        """Act on emails that a server accepted after the backup that has just been restored.

        `lines` are the lines of the journal about these emails. The key `told` of a line has the facts in the email.
        """

    def discarded(self, *, email_ids: Collection[int], now: dt.datetime) -> None:
        """Act on the discarding of these queued emails by an administrator of the server."""

    def received(self, *, raw: bytes, now: dt.datetime) -> str:
        """Act on an incoming email that is not a bounce, and return the outcome, or "" if it is not for this room."""
        return ""

    def notices_open_to_reply(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> set[int]:
        """Return the ids of the notices to which the reader's reply could be used."""
        return set()

    def stop_links(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> dict[int, StopLink]:
        """Return, by email id, the link with which the reader stops notices of the same sort."""
        return {}

    def emails_open_to_reply(self, *, emails: Sequence[ReplyTo], now: dt.datetime) -> set[int]:
        """Return the ids of the emails to which the reader's reply could be used."""
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
