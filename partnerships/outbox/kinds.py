"""Kinds of email: the hook through which upper rooms say who gets an email and what it says.

A kind is registered once, at start-up, in the `registrations.py` of the room it belongs to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from partnerships.outbox.models import Lane
from partnerships.outbox.parts import Message, Recipe


@dataclass(frozen=True, slots=True)
class Due:
    """A locked email that is due, as the outbox holds it. `recipe` and `memo` only of one in doubt."""

    pk: int
    kind: str
    lane: int
    person_id: int | None
    address: str  # of one without a person, or as it was frozen
    params: dict[str, Any]
    secrets: dict[str, Any]
    message_id: str
    subject: str
    created_at: dt.datetime
    in_doubt: bool
    unanswered: int
    recipe: Recipe | None
    memo: Any
    repeat_of_id: int | None


@dataclass(slots=True)
class Candidate:
    """A due email and where it would go today. Composers may extend it with what they know of the recipient."""

    due: Due
    address: str
    name: str = ""
    #: Why it must not leave; empty: it may.
    refusal: str = ""
    #: Not before this moment (the recipient has paused).
    hold_until: dt.datetime | None = None

    @property
    def pk(self) -> int:
        """The number of the email."""
        return self.due.pk


class SetAside(NamedTuple):
    """An email that is settled without leaving, and why: for people, and as a code where one exists."""

    pk: int
    status: str
    reason: str
    code: str = ""


@dataclass(slots=True)
class Batch:
    """What composing decided about the emails of one claim, gathered until it is written in a few statements."""

    messages: dict[int, Message] = field(default_factory=dict)
    #: Composed before: the same message once more.
    again: list[Candidate] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    #: What each composer wants back when the email is sent again.
    memos: dict[int, Any] = field(default_factory=dict)
    #: What the journal keeps of each (see `restoring`): JSON values, numbers and codes only.
    told: dict[int, Sequence[Sequence[int]]] = field(default_factory=dict)
    #: What `Composer.no_longer_allowed` needs to check again before the email leaves.
    checks: dict[int, Any] = field(default_factory=dict)


class Composer:
    """Writes the emails of some kinds. Called inside the transaction that claims them."""

    def candidates(self, due: Sequence[Due], *, now: dt.datetime) -> list[Candidate]:
        """Find the recipient of each email. A few statements for all of them, however many there are."""
        raise NotImplementedError

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Write each message into the batch, or say there why there is none."""
        raise NotImplementedError

    def refused(self, candidates: Sequence[Candidate], *, now: dt.datetime) -> None:
        """Note that these emails are settled without leaving."""

    def no_longer_allowed(self, checks: dict[int, Any], *, now: dt.datetime) -> set[int]:
        """The numbers of claimed emails that must not leave after all; `checks` as the batch holds them."""
        return set()


@dataclass(frozen=True, slots=True)
class EmailKind:
    """One sort of email: its code, what pages call it, its lane and its composer.

    `is_secret`: nothing of its body is kept once a server has accepted it, since it carries a token. A kind that marks
    its tokens (`Message.tokens`) loses these alone.

    `keeps_its_link`: the link in it still opens after a restore, so the same email is not sent again then.
    """

    code: str
    label: str
    lane: Lane
    composer: Composer
    is_secret: bool = False
    keeps_its_link: bool = False


_kinds: dict[str, EmailKind] = {}


def register_kind(kind: EmailKind) -> None:
    """Make a kind known; a code stands for one kind."""
    known = _kinds.get(kind.code)
    if known is not None and known != kind:
        raise ValueError(f"Two kinds of email are called {kind.code}.")
    _kinds[kind.code] = kind


def kind_of(code: str) -> EmailKind | None:
    """The kind with this code; None for one that no room knows any more."""
    return _kinds.get(code)


def all_kinds() -> Collection[EmailKind]:
    """Every kind, in the order of registration."""
    return tuple(_kinds.values())
