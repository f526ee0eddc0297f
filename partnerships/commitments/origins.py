"""Hook for rooms whose records commitments come from.

A room above registers an `Origin` at start-up: for responses, conversations or plans. The form at
`/commitments/new/?from=response-12` asks the origin called `response` what record 12 suggests. When the commitment is
made, the room stores the link in its own table, in the same transaction. The commitment's page lists the links that the
reader may see.
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
from partnerships.organisations.statements import Lookup, RowsAbout, rows_lookup, with_rows
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Initial values of the form; `words` names the record in a sentence."""

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
        """The two organisations, if the record fixes both; else none."""
        return (self.giver, self.receiver) if self.giver and self.receiver else ()


@dataclass(frozen=True, slots=True)
class OriginLink:
    """A record that a commitment came from, as shown on its page."""

    words: str
    href: str


class Suggest(Protocol):
    """What the record suggests; None if the person may not use it."""

    def __call__(self, *, user: User, record_id: int) -> Suggestion | None: ...


class Link(Protocol):
    """Store the link from record to commitment, in the same transaction."""

    def __call__(self, *, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None: ...


class LinksOf(Protocol):
    """Records of this kind behind the commitment that the person may see."""

    def __call__(self, *, commitment: Commitment, user: User) -> Sequence[OriginLink]: ...


class CopyLinks(Protocol):
    """Copy the links of a replaced commitment, in the same transaction."""

    def __call__(self, *, old: Commitment, new: Commitment) -> None: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind of record that commitments come from, and its functions.

    If several kinds store their links in one table, one of them copies the links for all. `rows` are the links of a
    commitment: where they are given and there are none, `links_of` is not asked.
    """

    name: str
    suggest: Suggest
    link: Link
    links_of: LinksOf
    copy_links: CopyLinks | None = None
    rows: tuple[RowsAbout, ...] = ()


@dataclass(frozen=True, slots=True)
class From:
    """The record that a commitment is made from: its kind and its number."""

    origin: Origin
    record_id: int

    def __str__(self) -> str:
        return f"{self.origin.name}-{self.record_id}"


_origins: dict[str, Origin] = {}


def register_origin(origin: Origin) -> None:
    """Allow commitments to be made from records of this kind."""
    _origins[origin.name] = origin


def read_from(text: str) -> From | None:
    """The record behind `response-12`; None for an unknown kind."""
    name, _, number = text.rpartition("-")
    origin = _origins.get(name)
    if origin is None or not (number.isascii() and number.isdecimal()) or len(number) > 18:
        return None
    return From(origin, int(number))


def links_of(commitment: Commitment, user: User) -> list[OriginLink]:
    """Every record behind the commitment that this person may see."""
    present = with_rows(commitment.pk, *_rows_of_links())
    return [
        link
        for _, origin in sorted(_origins.items())
        if not origin.rows or present.intersection(origin.rows)
        for link in origin.links_of(commitment=commitment, user=user)
    ]


def links_lookup(commitment: int) -> Lookup:
    """What `links_of` is going to ask first, for `read_ahead`."""
    return rows_lookup(commitment, *_rows_of_links())


def _rows_of_links() -> list[RowsAbout]:
    return [rows for origin in _origins.values() for rows in origin.rows]


def copy_links(old: Commitment, new: Commitment) -> None:
    """Copy the links of `old` to `new` in every room."""
    for name in sorted(_origins):
        if copy := _origins[name].copy_links:
            copy(old=old, new=new)
