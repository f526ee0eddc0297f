"""The fixtures and helpers that make asks and offers for tests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Response
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from tests.world import World


@pytest.fixture
def now(world: World) -> dt.datetime:
    """Return a time later than everything that made the world."""
    return world.now + dt.timedelta(days=20)


def draft(organisation: Organisation, author: User, now: dt.datetime, **changes: Any) -> Entry:
    """Return a draft ask for land, with these changes."""
    fields: dict[str, Any] = {
        "direction": Direction.ASK,
        "title": "Land for 60 modular homes",
        "statement": "A level site, ready for modular homes by the summer.",
        "theme": "land",
        "audience": Audience.NETWORK,
        "quantity": 60,
        "unit": "homes",
    } | changes
    return services.create_entry(organisation=organisation, author=author, now=now, **fields)


def shared_entry(organisation: Organisation, author: User, now: dt.datetime, **changes: Any) -> Entry:
    """Return a shared ask for land, with these changes."""
    entry = draft(organisation, author, now, **changes)
    return services.share_entry(entry=entry, author=author, now=now)


@pytest.fixture
def ask(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask to its partnership, for land for 60 homes."""
    return shared_entry(
        world.larkhaven, world.amina, now, audience=Audience.PARTNERSHIP, partnership=world.partnership, closes_on=None
    )


def ben_answers(ask: Entry, world: World, now: dt.datetime, *, quantity: int | None = None) -> Response:
    """Answer Larkhaven's ask for Westmarch, with this quantity or with all that is left."""
    amount = None if quantity is None else Decimal(quantity)
    return services.respond(
        entry=ask, organisation=world.westmarch, text="At the quay.", quantity=amount, author=world.ben, now=now
    )


def accepted_answer(
    entry: Entry, world: World, now: dt.datetime, quantity: int | None, *, by: Organisation | None = None
) -> Response:
    """Return an answer that Larkhaven has accepted. It is from Westmarch, unless `by` names Tidewater."""
    response = services.respond(
        entry=entry,
        organisation=by or world.westmarch,
        text="Yes.",
        quantity=None if quantity is None else Decimal(quantity),
        author=world.chidi if by == world.tidewater else world.ben,
        now=now,
    )
    return services.decide_response(response=response, accept=True, reason="", author=world.amina, now=now)


def new_commitment_url(origin: str) -> str:
    """Return the URL of the form that makes a commitment from this origin, for example "entry-12"."""
    return f"{reverse('commitments:new')}?from={origin}"
