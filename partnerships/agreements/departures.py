"""Hooks for rooms that have work to do when terms come into force, a party leaves or a partnership is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from partnerships.agreements.models import Partnership, Party, TermsVersion
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class PartyDeparture:
    """A party that has left a partnership, was removed, or became an observer. `party.reason` says why."""

    party: Party
    author: User | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class PartnershipEnding:
    """The end or renewal of a partnership.

    `reason` is a sentence. There is no author if the partnership ended on its end date.
    """

    partnership: Partnership
    reason: str
    author: User | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class TermsInForceChange:
    """A change of the terms in force. The columns of the partnership already match the new version."""

    partnership: Partnership
    version: TermsVersion
    author: User | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that ends if a party leaves, described in words, with the address of its page."""

    words: str
    path: str = ""


# All hooks run in the transaction of the change, with the partnership locked and the change saved.
DepartureHook = Callable[[PartyDeparture], None]
EndingHook = Callable[[PartnershipEnding], None]
TermsHook = Callable[[TermsInForceChange], None]
#: Returns what will end if the party leaves, so that its lead can read it before deciding.
PreviewHook = Callable[[Party, User], Sequence[Consequence]]

_departure_hooks: list[DepartureHook] = []
_previews: list[PreviewHook] = []
_observer_hooks: list[DepartureHook] = []
_ending_hooks: list[EndingHook] = []
_terms_hooks: list[TermsHook] = []


def register_party_departure(hook: DepartureHook, preview: PreviewHook) -> None:
    """Register what another room does when a party leaves, and how the room previews the consequences."""
    _departure_hooks.append(hook)
    _previews.append(preview)


def run_departure_hooks(departure: PartyDeparture) -> None:
    """Let other rooms act on a party that has left."""
    for hook in _departure_hooks:
        hook(departure)


def register_observer_hook(hook: DepartureHook) -> None:
    """Register what another room does when a party becomes an observer. It may refuse by raising an error."""
    _observer_hooks.append(hook)


def run_observer_hooks(change: PartyDeparture) -> None:
    """Let other rooms act on a party that has become an observer. After a restore, the change has no author."""
    for hook in _observer_hooks:
        hook(change)


def consequences_of_leaving(party: Party, reader: User) -> list[Consequence]:
    """Return what will end if the party leaves, as far as the reader may know."""
    return [consequence for preview in _previews for consequence in preview(party, reader)]


def register_ending_hook(hook: EndingHook) -> None:
    """Register what another room does when a partnership is over."""
    _ending_hooks.append(hook)


def run_ending_hooks(ending: PartnershipEnding) -> None:
    """Let other rooms act on a partnership that is over."""
    for hook in _ending_hooks:
        hook(ending)


def register_terms_hook(hook: TermsHook) -> None:
    """Register what another room does when other terms come into force."""
    _terms_hooks.append(hook)


def run_terms_hooks(change: TermsInForceChange) -> None:
    """Let other rooms act on terms that have come into force."""
    for hook in _terms_hooks:
        hook(change)
