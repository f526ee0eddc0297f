"""Fixtures of this room's tests."""

from __future__ import annotations

import pytest

from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """A new world for each test."""
    return make_world()
