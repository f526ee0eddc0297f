"""The world, for tests that store documents."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """The world, made fresh for each test."""
    return make_world()
