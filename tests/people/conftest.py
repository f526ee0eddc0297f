"""The world in which the tests of people take place."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """A newly made world."""
    return make_world()
