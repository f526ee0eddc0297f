"""The world for every test of this room."""

from __future__ import annotations

import pytest

from tests.support.kept_rows import build_once
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Return everybody. The rows are inserted again for each test."""
    return build_once(make_world)
