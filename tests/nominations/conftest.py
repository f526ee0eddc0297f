"""The worlds for every test of this room."""

from __future__ import annotations

import pytest

from tests.nominations.quarters import place_of
from tests.nominations.signed import sign_nominations
from tests.support.kept_rows import build_once
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Return everybody, and a signed agreement with data sharing. The rows are inserted again for each test."""
    return build_once(_world_with_agreement)


def _world_with_agreement() -> World:
    world = make_world()
    world.things["nominations"] = sign_nominations(world)
    place_of(world)
    return world


@pytest.fixture
def unsigned(db: None) -> World:
    """Return everybody, before anything is agreed about nominations."""
    return make_world()
