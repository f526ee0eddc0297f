"""The rows of the access table of all rooms, and the world in which tests check them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse

import tests
from partnerships.people.models import User
from partnerships.search.services import index_stale
from tests.support.access import Row
from tests.support.constraints import check_once
from tests.support.kept_rows import build_once
from tests.world import World, make_world

Made = TypeVar("Made")
Files = dict[str, bytes]

#: Each room's part of the access table.
MODULES = [
    importlib.import_module(f"tests.{package.name}.access")
    for package in pkgutil.iter_modules(tests.__path__)
    if package.name != "support" and (Path(tests.__path__[0]) / package.name / "access.py").exists()
]
ROWS: list[Row] = [row for module in MODULES for row in module.ROWS]


def prepared() -> World:
    """Return the small world with the records that each room adds. It is built once, then inserted again."""
    return kept_with_files(_built)


def kept_with_files(build: Callable[[], tuple[Made, Files]]) -> Made:
    """Return the result of `build`, with its rows and files in place.

    `build` returns its result and `files_written()`. It is called once, and later tests get the same rows and files.
    """
    result, files = build_once(build)
    for name, content in files.items():
        file = Path(settings.MEDIA_ROOT, name)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    return result


def files_written() -> Files:
    """Return the content of every stored file of this test, by name."""
    root = Path(settings.MEDIA_ROOT)
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def _built() -> tuple[World, Files]:
    """Build the world. Rooms with `AFTER_OTHERS` are last, because they need records of other rooms."""
    world = make_world()
    for module in sorted(MODULES, key=lambda module: hasattr(module, "AFTER_OTHERS")):
        if hasattr(module, "prepare"):
            module.prepare(world)
    index_stale()
    check_once()
    return world, files_written()


@contextmanager
def kept_world(blocker: Any, files: pytest.TempPathFactory) -> Iterator[World]:
    """Provide one world for many tests, which roll back their changes. Its files are deleted at the end."""
    with blocker.unblock(), override_settings(MEDIA_ROOT=files.mktemp("world")), transaction.atomic():
        yield prepared()
        transaction.set_rollback(True)


def checked_browser(person: User, *, raises: bool = True) -> Client:
    """Return a browser signed in as this person, with a session that need not be checked for ten minutes.

    Without this check, every page would check the session's requirements and save the session, because each test's
    changes are rolled back. With `raises`, errors of views are raised in the test.
    """
    client = Client(raise_request_exception=raises)
    client.force_login(person)
    assert client.get(reverse("people:details")).status_code == 200
    return client


@pytest.fixture(autouse=True)
def media_root() -> None:
    """Replace the usual fixture in modules that share `world`, because its files must remain in their folder."""


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provide one world for a module that imports it and `media_root`. Each test's changes are rolled back."""
    with kept_world(django_db_blocker, tmp_path_factory) as made:
        yield made
