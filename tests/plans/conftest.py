"""Fixture for tests of plans: the versions that are announced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partnerships.plans.signals import version_published


@pytest.fixture
def published_numbers() -> Iterator[list[int]]:
    """Return a list to which the number of each version is added when `version_published` is sent."""
    numbers: list[int] = []
    version_published.connect(lambda version, **kwargs: numbers.append(version.number), weak=False, dispatch_uid="test")
    yield numbers
    version_published.disconnect(dispatch_uid="test")
