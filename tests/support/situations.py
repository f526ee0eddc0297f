"""What a service needs before it is called, prepared once for the rows of the rights table that need the same."""

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
    """A world in which a row's `prepare` was called, and what it returned.

    `rights` are those that people have in it, once a test asked for them.
    """

    world: World
    prepared: Any
    rights: set[tuple[Any, ...]] | None = None

    def again(self) -> tuple[World, Any]:
        """The world and what was prepared, as copies: a call changes records in memory."""
        return copy.deepcopy((self.world, self.prepared))


def in_situations(rows: Iterable[Row]) -> list[Any]:
    """Values of `situation` and `row` for a test of each row; rows that need the same follow each other."""
    together: dict[Any, list[Row]] = {}
    for row in rows:
        together.setdefault(row.prepare, []).append(row)
    return [pytest.param(prepare, row, id=str(row)) for prepare, alike in together.items() for row in alike]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for the whole table; each call is rolled back."""
    with kept_world(django_db_blocker, tmp_path_factory) as made:
        add_personas(made)
        check_once()
        yield made


@pytest.fixture(scope="module")
def situation(request: pytest.FixtureRequest, world: World, django_db_blocker: Any) -> Iterator[Situation]:
    """What rows with the same `prepare` need, rolled back after the last of them."""
    with django_db_blocker.unblock(), transaction.atomic():
        own_world = copy.deepcopy(world)
        prepared = request.param(own_world)
        check_once()
        yield Situation(own_world, prepared)
        transaction.set_rollback(True)
