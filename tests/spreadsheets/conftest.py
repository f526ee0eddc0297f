"""Fixtures for tests of spreadsheets: the world, and a plan in it."""

from __future__ import annotations

import pytest

from partnerships.plans.models import Plan
from tests.plans.drafts import begin
from tests.world import World


@pytest.fixture
def plan(world: World) -> Plan:
    """Return a draft of Larkhaven with two sites, one of them confidential, and two milestones."""
    return begin(world)
