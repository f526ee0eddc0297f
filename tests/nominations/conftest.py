"""The worlds for every test of this room."""

from __future__ import annotations

import pytest

from tests.nominations.quarters import place_of
from tests.nominations.signed import sign_nominations
from tests.support.kept_rows import build_once
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Everybody, and a signed agreement with data sharing; its rows are inserted again for each test."""
    return build_once(_signed)


def _signed() -> World:
    made = make_world()
    made.things["nominations"] = sign_nominations(made)
    place_of(made)
    return made


@pytest.fixture
def unsigned(db: None) -> World:
    """Everybody, before anything is agreed about nominations."""
    return make_world()
