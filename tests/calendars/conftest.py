"""The world for tests of calendars."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Return the world, in a transaction for each test."""
    return make_world()
