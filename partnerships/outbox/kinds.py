"""Kinds of email, such as an invitation or a reminder, and the base class of the composers that write them.

Rooms register their kinds at start-up, in their `registrations.py`.
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
class DueEmail:
    """An email that is due and locked. Its `recipe` and `memo` are only set if the email is in doubt."""

    pk: int
    kind: str
    lane: int
    person_id: int | None
    address: str  # of an email without a person, or of an email that is frozen already
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
    """A due email with the present address of its recipient. Subclasses may add facts about the recipient."""

    due: DueEmail
    address: str
    name: str = ""
    #: The reason why the email must not be sent, or "" if it may be sent.
    refusal: str = ""
    #: The earliest time to send the email, because the recipient paused or the server is slow with their domain.
    hold_until: dt.datetime | None = None

    @property
    def pk(self) -> int:
        """Return the id of the email."""
        return self.due.pk


class SetAside(NamedTuple):
    """An email that is settled without being sent, with the reason and, for some reasons, its code."""

    pk: int
    status: str
    reason: str
    code: str = ""


@dataclass(slots=True)
class Batch:
    """The decisions of the composers about the emails of one claim, collected so that few statements save them.

    The keys of all dictionaries are ids of emails.
    """

    messages: dict[int, Message] = field(default_factory=dict)
    #: Emails composed before, whose message is sent again unchanged.
    again: list[Candidate] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    #: The times until which emails wait that cannot be written yet.
    later: dict[int, dt.datetime] = field(default_factory=dict)
    #: Values that the composer needs if the email is sent again.
    memos: dict[int, Any] = field(default_factory=dict)
    #: The facts in the email, as numbers and codes, which the journal stores for the time after a restore.
    told: dict[int, Sequence[Sequence[int | str]]] = field(default_factory=dict)
    #: The id, the kind and the hashes of each notice in a summary, which the journal stores too.
    notices: dict[int, Sequence[Sequence[int | str]]] = field(default_factory=dict)
    #: Values that `Composer.no_longer_allowed` checks before the email is sent.
    checks: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Postponed:
    """A composer's decision that an email cannot be written yet, and until when it waits."""

    until: dt.datetime


class SummaryLine(NamedTuple):
    """The text of one line of a summary, which is about one email."""

    subject: str


class Composer:
    """Base class of composers, which write the emails of some kinds inside the transaction of the claim."""

    def line(self, due: DueEmail, *, now: dt.datetime) -> SummaryLine | str:
        """Return the email as a line of a summary, or the reason why the summary must not mention it."""
        return "Summaries do not mention this kind of email."

    def candidates(self, due: Sequence[DueEmail], *, now: dt.datetime) -> list[Candidate]:
        """Return the due emails with their recipients, in a fixed number of statements."""
        raise NotImplementedError

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Add a decision about each email to the batch.

        The decision is a message, the reason why there is none, or the time until which the email waits.
        """
        raise NotImplementedError

    def refused(self, candidates: Sequence[Candidate], *, now: dt.datetime) -> None:
        """Act on emails that were settled without being sent. By default, nothing happens."""

    def no_longer_allowed(self, checks: dict[int, Any], *, now: dt.datetime) -> set[int]:
        """Return the ids of claimed emails that must not be sent after all.

        `checks` has the values that `compose` stored in the batch for these emails.
        """
        return set()


@dataclass(frozen=True, slots=True)
class EmailKind:
    """A kind of email, and the composer that writes it.

    * People choose for each `group` how they get its notices.
    * `always` is the reason why people cannot turn this kind off, such as "they protect your account". It is empty if
      they can.
    * `about` finds the record that the email is about.
    * If `is_secret`, the message contains a token, so it is deleted once a server has accepted it. If the kind marks
      its tokens (`Message.tokens`), only these are deleted.
    * If `keeps_its_link`, the link in the email works even after a backup is restored. The email is then not sent
      again.
    * `reported_facts` returns the facts in the email, as JSON values. It is needed if the same facts may be in a
      different email after a restore, because each fact is reported only once.
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
    reported_facts: Callable[[Mapping[str, Any]], Iterable[Any]] | None = None

    @property
    def is_choosable(self) -> bool:
        """Return True if people can choose how they get emails of this kind."""
        return self.lane == Lane.NOTICE and not self.always and self.group in CHOOSABLE


_kinds: dict[str, EmailKind] = {}


def register_kind(kind: EmailKind) -> None:
    """Register a kind of email. Raises `ValueError` if its code belongs to another kind."""
    registered = _kinds.get(kind.code)
    if registered is not None and registered != kind:
        raise ValueError(f"Two kinds of email are called {kind.code}.")
    _kinds[kind.code] = kind


def email_kind_with_code(code: str) -> EmailKind | None:
    """Return the kind with this code, or None if no room has registered it."""
    return _kinds.get(code)


def all_kinds() -> Collection[EmailKind]:
    """Return all kinds, in the order of their registration."""
    return tuple(_kinds.values())
