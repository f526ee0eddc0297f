"""Kinds of email, which upper rooms register with a composer each.

Register once, at start-up, in the `registrations.py` of the kind's room.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from partnerships.outbox.groups import CHOOSABLE, FindSubject, NoticeGroup
from partnerships.outbox.models import Lane
from partnerships.outbox.parts import Message, Recipe


@dataclass(frozen=True, slots=True)
class Due:
    """A locked email that is due; `recipe` and `memo` only if in doubt."""

    pk: int
    kind: str
    lane: int
    person_id: int | None
    address: str  # for an email without a person, or as frozen
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
    """A due email and its present address.

    Composers may extend it with facts about the recipient.
    """

    due: Due
    address: str
    name: str = ""
    #: Why it must not leave; "" if it may.
    refusal: str = ""
    #: Not before this moment, because the recipient paused.
    hold_until: dt.datetime | None = None

    @property
    def pk(self) -> int:
        """The number of the email."""
        return self.due.pk


class SetAside(NamedTuple):
    """An email settled without sending: the reason, and its code if any."""

    pk: int
    status: str
    reason: str
    code: str = ""


@dataclass(slots=True)
class Batch:
    """Decisions about the emails of one claim, saved in few statements."""

    messages: dict[int, Message] = field(default_factory=dict)
    #: Composed before; the same message is sent again.
    again: list[Candidate] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    #: Those that cannot be written yet: they wait until then.
    later: dict[int, dt.datetime] = field(default_factory=dict)
    #: What each composer needs if the email is sent again.
    memos: dict[int, Any] = field(default_factory=dict)
    #: What the journal keeps of each (see `restoring`): JSON values, numbers and codes only.
    told: dict[int, Sequence[Sequence[int | str]]] = field(default_factory=dict)
    #: The notices in each summary, also for the journal: the number of each, its kind and its hashes.
    notices: dict[int, Sequence[Sequence[int | str]]] = field(default_factory=dict)
    #: What `Composer.no_longer_allowed` checks before the email leaves.
    checks: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """Says of an email that it cannot be written yet, and waits until a moment."""

    until: dt.datetime


class Line(NamedTuple):
    """An email in one line of a summary."""

    subject: str


class Composer:
    """Writes emails of some kinds, inside the transaction of the claim."""

    def line(self, due: Due, *, now: dt.datetime) -> Line | str:
        """The email as a line of a summary, or why it must not be told."""
        return "It has no line in a summary."

    def candidates(self, due: Sequence[Due], *, now: dt.datetime) -> list[Candidate]:
        """The recipient of each email, found in a fixed number of statements."""
        raise NotImplementedError

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Add each message to the batch, the reason why there is none, or until when it waits."""
        raise NotImplementedError

    def refused(self, candidates: Sequence[Candidate], *, now: dt.datetime) -> None:
        """Note that these emails are settled without sending."""

    def no_longer_allowed(self, checks: dict[int, Any], *, now: dt.datetime) -> set[int]:
        """The numbers of claimed emails that must not leave after all.

        `checks` are those of the batch.
        """
        return set()


@dataclass(frozen=True, slots=True)
class EmailKind:
    """A kind of email: its code, label, lane, composer and group.

    People choose by `group` how they get notices. `always` says why they cannot turn this kind off; it follows the word
    "because" on the page of choices, and is empty for the others. `about` finds the record that it is about.

    `is_secret`: the body is deleted once accepted, because it has a token. A kind that marks its tokens
    (`Message.tokens`) loses only those.

    `keeps_its_link`: its link still works after a restore, so the same email is not sent again then.

    `things` finds what it tells one by one (JSON values), if the clock may put them together differently after a
    restore: each is told once.
    """

    code: str
    label: str
    lane: Lane
    composer: Composer
    group: NoticeGroup
    always: str = ""
    about: FindSubject | None = None
    is_secret: bool = False
    keeps_its_link: bool = False
    things: Callable[[Mapping[str, Any]], Iterable[Any]] | None = None

    @property
    def is_choosable(self) -> bool:
        """Whether people choose how it comes."""
        return self.lane == Lane.NOTICE and not self.always and self.group in CHOOSABLE


_kinds: dict[str, EmailKind] = {}


def register_kind(kind: EmailKind) -> None:
    """Register a kind; its code must be new."""
    registered = _kinds.get(kind.code)
    if registered is not None and registered != kind:
        raise ValueError(f"Two kinds of email are called {kind.code}.")
    _kinds[kind.code] = kind


def kind_of(code: str) -> EmailKind | None:
    """The kind with this code; None if no room registers it."""
    return _kinds.get(code)


def all_kinds() -> Collection[EmailKind]:
    """Every kind, in the order of registration."""
    return tuple(_kinds.values())
