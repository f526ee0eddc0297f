"""The world of the tests of lists."""

from __future__ import annotations

import pytest
from django.test import Client

from partnerships.people.models import User
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def client_of(person: User) -> Client:
    """A client signed in as a person."""
    client = Client()
    client.force_login(person)
    return client
