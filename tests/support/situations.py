"""Prepare what a service needs, once for all rows of the rights table that need the same."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from tests.support.constraints import check_once
from tests.support.prepared import kept_world
from tests.support.rights import Row, add_personas
from tests.world import World


@dataclass
class Situation:
    """A world after a row's `prepare` was called, and the result of `prepare`.

    `rights` are the rights that people have in this world, or None until a test needs them.
    """

    world: World
    prepared: Any
    rights: set[tuple[Any, ...]] | None = None

    def again(self) -> tuple[World, Any]:
        """Return copies of the world and of the prepared records, because a call changes records in memory."""
        return copy.deepcopy((self.world, self.prepared))


def in_situations(rows: Iterable[Row]) -> list[Any]:
    """Return the parameters `situation` and `row` for a test of each row, grouped by `prepare`."""
    rows_by_prepare: dict[Any, list[Row]] = {}
    for row in rows:
        rows_by_prepare.setdefault(row.prepare, []).append(row)
    return [pytest.param(prepare, row, id=str(row)) for prepare, group in rows_by_prepare.items() for row in group]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provide one world for the whole table. Each call is rolled back."""
    with kept_world(django_db_blocker, tmp_path_factory) as world:
        add_personas(world)
        check_once()
        yield world


@pytest.fixture(scope="module")
def situation(request: pytest.FixtureRequest, world: World, django_db_blocker: Any) -> Iterator[Situation]:
    """Provide the records that rows with the same `prepare` need, rolled back after the last of these rows."""
    with django_db_blocker.unblock(), transaction.atomic():
        own_world = copy.deepcopy(world)
        prepared = request.param(own_world)
        check_once()
        yield Situation(own_world, prepared)
        transaction.set_rollback(True)
