"""The world for tests of commitments whose threads or browser read it through other connections."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def committed_world(transactional_db: None) -> World:
    """Return the world, committed so that other connections can read it."""
    return make_world()
