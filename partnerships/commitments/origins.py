"""Lets other rooms make commitments from their records, such as responses and plans.

Such a room registers an `Origin` at start-up. For example, the form at `/commitments/new/?from=response-12` gets its
initial values from the origin named `response`. When the commitment is proposed, the room stores the link in its own
table, in the same transaction. The commitment's page lists the links that the reader may see.
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
from partnerships.organisations.statements import Lookup, RowsAbout, functions_with_rows, rows_lookup
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class CommitmentSuggestion:
    """The values that a record suggests for the form to propose a commitment."""

    #: The record in the words of a sentence.
    words: str
    #: The URL of the record.
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
        """Giver and receiver if the record names both, or else an empty tuple."""
        return (self.giver, self.receiver) if self.giver and self.receiver else ()


@dataclass(frozen=True, slots=True)
class OriginLink:
    """A link from a commitment's page to a record from which the commitment was made."""

    words: str
    href: str


class SuggestHook(Protocol):
    """Return the initial values that a record suggests, or None if the person may not use the record."""

    def __call__(self, *, user: User, record_id: int) -> CommitmentSuggestion | None: ...


class LinkHook(Protocol):
    """Store the link from the record to the commitment, in the same transaction."""

    def __call__(self, *, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None: ...


class LinksHook(Protocol):
    """Return the links to records of this kind that the person may see."""

    def __call__(self, *, commitment: Commitment, user: User) -> Sequence[OriginLink]: ...


class CopyLinksHook(Protocol):
    """Copy the links of a replaced commitment, in the same transaction."""

    def __call__(self, *, old: Commitment, new: Commitment) -> None: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind of record from which commitments are made, and the functions of its room."""

    name: str
    suggest: SuggestHook
    link: LinkHook
    links_of: LinksHook
    #: If several kinds store their links in one table, only one of them has this function.
    copy_links: CopyLinksHook | None = None
    #: Queries for the stored links of a commitment. If they find none, `links_of` is not called, which saves queries.
    rows: tuple[RowsAbout, ...] = ()


@dataclass(frozen=True, slots=True)
class OriginRecord:
    """A record from which a commitment is made, written as `response-12` in addresses."""

    origin: Origin
    record_id: int

    def __str__(self) -> str:
        return f"{self.origin.name}-{self.record_id}"


_origins: dict[str, Origin] = {}


def register_origin(origin: Origin) -> None:
    """Register a kind of record from which commitments can be made."""
    _origins[origin.name] = origin


def parse_origin_record(text: str) -> OriginRecord | None:
    """Return the record of a parameter such as `response-12`.

    Returns None if no such kind is registered, or if the id is invalid.
    """
    name, _, record_id = text.rpartition("-")
    origin = _origins.get(name)
    if origin is None or not (record_id.isascii() and record_id.isdecimal()) or len(record_id) > 18:
        return None
    return OriginRecord(origin, int(record_id))


def origin_links_of(commitment: Commitment, user: User) -> list[OriginLink]:
    """Return links to the records from which the commitment was made, as far as the person may see them."""
    lookups_with_rows = functions_with_rows(commitment.pk, *_rows_of_links())
    return [
        link
        for _, origin in sorted(_origins.items())
        if not origin.rows or lookups_with_rows.intersection(origin.rows)
        for link in origin.links_of(commitment=commitment, user=user)
    ]


def links_lookup(commitment_id: int) -> Lookup:
    """Return the query with which `origin_links_of` begins, so that `read_ahead` can run it with others."""
    return rows_lookup(commitment_id, *_rows_of_links())


def _rows_of_links() -> list[RowsAbout]:
    return [rows for origin in _origins.values() for rows in origin.rows]


def copy_links(old: Commitment, new: Commitment) -> None:
    """Copy the links of a replaced commitment to the new one, in every room."""
    for name in sorted(_origins):
        if copy := _origins[name].copy_links:
            copy(old=old, new=new)
