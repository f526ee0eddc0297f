"""The world, and a browser for each of its people."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from partnerships.people.models import User
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Everybody, fresh for each test."""
    return make_world()


@pytest.fixture
def as_() -> Callable[[User], Client]:
    """A client signed in as somebody."""

    def client_for(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return client_for
