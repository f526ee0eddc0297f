"""Hooks for rooms that have work to do when terms come into force, a party leaves or a partnership is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from partnerships.agreements.models import Partnership, Party, TermsVersion
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class PartyDeparture:
    """A party has left a partnership or was removed; `party` says why."""

    party: Party
    author: User | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class PartnershipEnding:
    """A partnership has ended or was renewed.

    `reason` says so in a sentence. A date that came has no author.
    """

    partnership: Partnership
    reason: str
    author: User | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class TermsTaken:
    """Another version of the terms of a partnership has come into force.

    Its columns say so already.
    """

    partnership: Partnership
    version: TermsVersion
    author: User | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that leaving will end, in words, with its page."""

    words: str
    path: str = ""


#: Settles the room's records. Runs in the transaction, with partnership and party locked and saved as left.
Hook = Callable[[PartyDeparture], None]
#: Tells a lead, before they decide, what will end if the party leaves.
Foretell = Callable[[Party, User], Sequence[Consequence]]
_rooms: list[tuple[Hook, Foretell]] = []
#: As `Hook`, with the party saved as an observer; `author` is None after a restore.
_observing: list[Hook] = []
#: Settles the room's records. Runs in the transaction, with the partnership locked and saved as over.
EndingHook = Callable[[PartnershipEnding], None]
_endings: list[EndingHook] = []
#: Keeps the room's records true to the terms. Runs in the transaction, with the partnership locked.
TermsHook = Callable[[TermsTaken], None]
_terms: list[TermsHook] = []


def register_party_departure(hook: Hook, foretell: Foretell) -> None:
    """Register what a room settles and warns about when a party leaves."""
    _rooms.append((hook, foretell))


def settle(departure: PartyDeparture) -> None:
    """Call every registered room."""
    for hook, _foretell in _rooms:
        hook(departure)


def register_observing(hook: Hook) -> None:
    """Register what a room settles when a party becomes an observer; it may refuse that."""
    _observing.append(hook)


def settle_observing(change: PartyDeparture) -> None:
    """Call every registered room."""
    for hook in _observing:
        hook(change)


def consequences(party: Party, reader: User) -> list[Consequence]:
    """What will end if the party leaves, as far as the reader may know."""
    return [consequence for _hook, foretell in _rooms for consequence in foretell(party, reader)]


def register_ending(hook: EndingHook) -> None:
    """Register what a room settles when a partnership is over."""
    _endings.append(hook)


def settle_ending(ending: PartnershipEnding) -> None:
    """Call every registered room."""
    for hook in _endings:
        hook(ending)


def register_terms(hook: TermsHook) -> None:
    """Register what a room does when other terms come into force."""
    _terms.append(hook)


def settle_terms(taken: TermsTaken) -> None:
    """Call every registered room."""
    for hook in _terms:
        hook(taken)
