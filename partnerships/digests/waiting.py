"""What waits for a person, gathered from the rooms below: digests carry it along, it never makes one go out."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

from partnerships.agreements import queries as agreements
from partnerships.commitments import queries as commitments
from partnerships.conversations import queries as conversations
from partnerships.exchange import queries as exchange
from partnerships.kit.waiting import Waiting
from partnerships.people.models import User
from partnerships.plans import queries as plans

#: Each room's own answer to "what waits for this person", as they may see it.
SOURCES: tuple[Callable[[User, dt.datetime], list[Waiting]], ...] = (
    agreements.waiting_for,
    exchange.waiting_for,
    plans.waiting_for,
    commitments.waiting_for,
    conversations.waiting_for,
)


def waiting_for(person: User, now: dt.datetime) -> list[Waiting]:
    """Everything that waits for somebody with an account, the most pressing first; nothing for stakeholders."""
    if person.is_stakeholder or not person.is_active:
        return []
    found = [one for source in SOURCES for one in source(person, now)]
    return sorted(found, key=Waiting.oldest_first)


def remembered(thing: Waiting) -> str:
    """How a letter remembers that it said that something waits, without keeping what it said."""
    return hashlib.sha256(f"{thing.what} {thing.path}".encode()).hexdigest()[:20]
