"""The rows of the access table and their world, with what every room adds to it for its pages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

import tests
from tests.support.access import Row
from tests.world import World, make_world

#: Each room's part of the access table.
MODULES = [
    importlib.import_module(f"tests.{package.name}.access")
    for package in pkgutil.iter_modules(tests.__path__)
    if package.name != "support" and (Path(tests.__path__[0]) / package.name / "access.py").exists()
]
ROWS: list[Row] = [row for module in MODULES for row in module.ROWS]


def prepared() -> World:
    """The world of the tests with each room's additions."""
    made = make_world()
    for module in MODULES:
        if hasattr(module, "prepare"):
            module.prepare(made)
    return made


@contextmanager
def kept_world(blocker: Any, files: pytest.TempPathFactory) -> Iterator[World]:
    """One such world for many tests, each of which rolls its own writes back; it goes with its files at the end."""
    with blocker.unblock(), override_settings(MEDIA_ROOT=files.mktemp("world")), transaction.atomic():
        yield prepared()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def media_root() -> None:
    """For modules that share `world`: its files stay where it was made."""


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for a whole module that imports this and `media_root`; each test's writes are rolled back."""
    with kept_world(django_db_blocker, tmp_path_factory) as made:
        yield made
