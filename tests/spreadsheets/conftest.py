"""Fixtures of tests of spreadsheets: the world, and its plan."""

from __future__ import annotations

import pytest

from partnerships.plans.models import Plan
from tests.plans.drafts import begin
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """The world, made fresh for each test."""
    return make_world()


@pytest.fixture
def plan(world: World) -> Plan:
    """A draft of Larkhaven with two sites, one of them confidential, and two milestones."""
    return begin(world)
