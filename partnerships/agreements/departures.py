"""What must be settled when an organisation leaves a partnership: rooms above register their part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from partnerships.agreements.models import Party
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class PartyDeparture:
    """An organisation has left a partnership, or was removed from it: `party` says which, and why."""

    party: Party
    author: User | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that will end with a leaving, in words, with the page where it can be looked at."""

    words: str
    path: str = ""


#: Settles what the room holds. Runs inside the transaction, the partnership and the party locked and saved as left.
Hook = Callable[[PartyDeparture], None]
#: Says what will end if the party leaves, to a lead who is about to decide it.
Foretell = Callable[[Party, User], Sequence[Consequence]]
_rooms: list[tuple[Hook, Foretell]] = []


def register_party_departure(hook: Hook, foretell: Foretell) -> None:
    """Say what must be settled when an organisation leaves a partnership, and what its leads must know before."""
    _rooms.append((hook, foretell))


def settle(departure: PartyDeparture) -> None:
    """Settle everything."""
    for hook, _foretell in _rooms:
        hook(departure)


def consequences(party: Party, reader: User) -> list[Consequence]:
    """What will end if the party leaves, as far as the reader may know of it."""
    return [one for _hook, foretell in _rooms for one in foretell(party, reader)]
