"""Tests leave no rows to each other, and share those of worlds that one of their processes made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from partnerships.digests.emails import selecting
from partnerships.exchange.models import Theme
from partnerships.people.models import User
from tests.support import kept_rows, seeds
from tests.support.kept_rows import kept
from tests.world import person


def test_database_that_tests_copy_can_be_made_before_the_tests() -> None:
    # `make test-database` begins without Django, so nothing that it imports may need models.
    done = subprocess.run(
        [sys.executable, "-c", "import tests.support.database"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db(transaction=True)
def test_rows_whose_clearing_failed_are_cleared_before_the_next_test(monkeypatch: pytest.MonkeyPatch) -> None:
    themes = set(Theme.objects.values_list("pk", flat=True))
    person("Amina Larch", "amina@larkhaven.example")

    def fail() -> None:
        raise OperationalError("out of shared memory")

    with monkeypatch.context() as broken:
        broken.setattr(seeds, "_clear", fail)
        with pytest.raises(OperationalError):
            seeds.as_migrated(TransactionTestCase())
    left = User.objects.count()
    seeds.clear_what_is_left()

    assert left == 1
    assert User.objects.count() == 0
    assert themes
    assert set(Theme.objects.values_list("pk", flat=True)) == themes


@pytest.mark.django_db(transaction=True)
def test_rows_written_after_the_clearing_are_cleared_before_the_next_test() -> None:
    seeds.as_migrated(TransactionTestCase())
    person("Amina Larch", "amina@larkhaven.example")  # as a thread of the test before would

    with pytest.warns(UserWarning, match="still wrote"):
        seeds.clear_what_is_left()

    assert User.objects.count() == 0
    seeds.clear_what_is_left()


@pytest.mark.django_db
def test_rows_that_another_process_made_leave_their_numbers_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_folder", tmp_path)
    built: list[Any] = []

    def somebody() -> User:
        built.append(person("Amina Larch", "amina@larkhaven.example"))
        return built[-1]

    with transaction.atomic():
        monkeypatch.setattr(kept_rows, "_kept", {})
        first = kept(somebody)
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_user ALTER COLUMN id RESTART")  # as in a process that made nobody yet
    monkeypatch.setattr(kept_rows, "_kept", {})
    monkeypatch.setitem(selecting._blocks, selecting.Key(first.pk, 0, 1, "inside", False), cast(Any, None))
    again = kept(somebody)
    other = person("Ben West", "ben@westmarch.example")

    assert built == [first]
    assert again == first == User.objects.get(email="amina@larkhaven.example")
    assert other.pk > again.pk
    assert not selecting._blocks, "What was rendered of records with the same numbers is rendered again."
