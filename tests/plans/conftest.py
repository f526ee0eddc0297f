"""Fixtures for tests of plans: a client for each person, and the versions that are announced."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from partnerships.people.models import User
from partnerships.plans.signals import version_published


@pytest.fixture
def as_() -> Callable[[User], Client]:
    """Return a function that returns a client signed in as a person."""

    def client_for(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return client_for


@pytest.fixture
def published_numbers() -> Iterator[list[int]]:
    """Return a list to which the number of each version is added when `version_published` is sent."""
    numbers: list[int] = []
    version_published.connect(lambda version, **kwargs: numbers.append(version.number), weak=False, dispatch_uid="test")
    yield numbers
    version_published.disconnect(dispatch_uid="test")
