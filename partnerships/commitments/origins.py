"""Where commitments come from: rooms above register how a record of theirs suggests one, and keep the link in their
own table.

A response, a conversation or a plan is not known here. Its room registers an `Origin` at start-up; the form at
`/commitments/new/?from=response-12` then asks the origin called `response` what record 12 suggests, and after the
commitment
is made, in the same transaction, lets it keep the link. The commitment's page lists the links that the reader may
follow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a record suggests as a commitment; the form starts with it. `words` name the record: “the answer of …”."""

    words: str
    href: str
    giver: Organisation | None = None
    receiver: Organisation | None = None
    partnership: Partnership | None = None
    text: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    due_on: dt.date | None = None

    @property
    def pair(self) -> tuple[Organisation, ...]:
        """The two organisations between whom such a commitment is, where the record says both; else none."""
        return (self.giver, self.receiver) if self.giver and self.receiver else ()


@dataclass(frozen=True, slots=True)
class OriginLink:
    """A record that a commitment came from, as its page shows it."""

    words: str
    href: str


class Suggest(Protocol):
    """What the record suggests, or None when this person may not see it or may not make a commitment from it."""

    def __call__(self, *, user: User, record_id: int) -> Suggestion | None: ...


class Link(Protocol):
    """Keep that the commitment came from the record; called inside the transaction that makes it."""

    def __call__(self, *, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None: ...


class LinksOf(Protocol):
    """The records of this kind that the commitment came from, as far as this person may see them."""

    def __call__(self, *, commitment: Commitment, user: User) -> Sequence[OriginLink]: ...


class HandOn(Protocol):
    """Let an agreed commitment keep the links of the one in whose place it stands; called inside that transaction."""

    def __call__(self, *, old: Commitment, new: Commitment) -> None: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind of record that commitments come from: its name in addresses, and what its room can say.

    Where several kinds keep their links in one table, one of them hands on for all.
    """

    name: str
    suggest: Suggest
    link: Link
    links_of: LinksOf
    hand_on: HandOn | None = None


@dataclass(frozen=True, slots=True)
class From:
    """One record that a commitment is made from."""

    origin: Origin
    record_id: int

    def __str__(self) -> str:
        return f"{self.origin.name}-{self.record_id}"


_origins: dict[str, Origin] = {}


def register_origin(origin: Origin) -> None:
    """Let commitments be made from records of this kind."""
    _origins[origin.name] = origin


def read_from(text: str) -> From | None:
    """`response-12` as a record of a registered kind; None for anything else."""
    name, _, number = text.rpartition("-")
    origin = _origins.get(name)
    if origin is None or not (number.isascii() and number.isdecimal()) or len(number) > 18:
        return None
    return From(origin, int(number))


def links_of(commitment: Commitment, user: User) -> list[OriginLink]:
    """Every record the commitment came from that this person may see."""
    return [link for name in sorted(_origins) for link in _origins[name].links_of(commitment=commitment, user=user)]


def hand_on(old: Commitment, new: Commitment) -> None:
    """Let every room give `new` the links that `old` has."""
    for name in sorted(_origins):
        if give := _origins[name].hand_on:
            give(old=old, new=new)
