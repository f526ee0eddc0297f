"""The world, for every test of this room."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Everybody, in a transaction of their own."""
    return make_world()
