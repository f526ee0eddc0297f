"""The world for every test of this room."""

from __future__ import annotations

import pytest

from partnerships.agreements.models import TermsVersion
from tests.support.kept_rows import build_once
from tests.support.terms import agree_terms
from tests.world import World, make_world


@pytest.fixture
def world(request: pytest.FixtureRequest, db: None) -> World:
    """Return the small world, fresh for each test. It includes agreed terms if the test asks for `agreed_terms`."""
    if "agreed_terms" in request.fixturenames:
        return build_once(_world_with_terms)
    return make_world()


@pytest.fixture
def agreed_terms(world: World) -> TermsVersion:
    """Return the first terms of the Estuary Partnership, which Larkhaven and Westmarch signed today.

    Signing terms takes longer than most tests, so it is done once. Their rows are inserted again for each test.
    """
    terms: TermsVersion = world.things["agreed_terms"]
    return terms


def _world_with_terms() -> World:
    world = make_world()
    world.things["agreed_terms"] = agree_terms(world.partnership, world.amina)
    return world
