"""Fixtures for tests of plans: a client for each person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from partnerships.people.models import User


@pytest.fixture
def as_() -> Callable[[User], Client]:
    """Return a function that returns a client signed in as a person."""

    def client_for(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return client_for
