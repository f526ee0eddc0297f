"""Rows of a test do not reach later tests. Processes of a run share the rows that fixtures build once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from partnerships.digests.emails import selecting
from partnerships.exchange.models import Theme
from partnerships.people.models import User
from tests.support import kept_rows, seeds
from tests.support.kept_rows import build_once
from tests.support.migrating import migrated_back
from tests.world import person


def test_test_database_can_be_made_without_django() -> None:
    # `make test-database` starts without Django, so nothing that it imports may need models.
    result = subprocess.run(
        [sys.executable, "-c", "import tests.support.database"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stderr


@pytest.mark.django_db(transaction=True)
def test_rows_whose_clearing_failed_are_cleared_before_the_next_test(monkeypatch: pytest.MonkeyPatch) -> None:
    themes = set(Theme.objects.values_list("pk", flat=True))
    person("Amina Larch", "amina@larkhaven.example")
    with monkeypatch.context() as broken:
        broken.setattr(seeds, "_clear", Mock(side_effect=OperationalError("out of shared memory")))
        with pytest.raises(OperationalError):
            seeds.restore_migrated_rows(TransactionTestCase())
    assert User.objects.count() == 1

    seeds.clear_leftovers()

    assert User.objects.count() == 0
    assert themes
    assert set(Theme.objects.values_list("pk", flat=True)) == themes


@pytest.mark.django_db(transaction=True)
def test_rows_written_after_the_clearing_are_cleared_before_the_next_test() -> None:
    seeds.restore_migrated_rows(TransactionTestCase())
    person("Amina Larch", "amina@larkhaven.example")  # as a thread of the previous test would

    with pytest.warns(UserWarning, match="still wrote"):
        seeds.clear_leftovers()

    assert User.objects.count() == 0
    seeds.clear_leftovers()  # no second warning, which would fail this test


def amina() -> User:
    """Create the person that the tests build."""
    return person("Amina Larch", "amina@larkhaven.example")


def built_by_another_process() -> User:
    """Return Amina as if another process had built her: her rows are shared, but not in this database."""
    with transaction.atomic():
        person_built = build_once(amina)
        transaction.set_rollback(True)
    kept_rows.forget_snapshots()
    # A sequence is not rolled back. This process must not have used any id yet.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_user ALTER COLUMN id RESTART")
    return person_built


@pytest.mark.django_db
def test_rows_that_another_process_built_are_inserted_with_their_ids(tmp_path: Path) -> None:
    with kept_rows.shared_in(tmp_path):
        built = built_by_another_process()
        assert not User.objects.exists()

        inserted = build_once(amina)
        ben = person("Ben West", "ben@westmarch.example")

    assert inserted == built == User.objects.get(email="amina@larkhaven.example")
    assert ben.pk > inserted.pk


@pytest.mark.django_db
def test_rendered_news_is_forgotten_when_rows_of_another_process_are_inserted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kept_rows.shared_in(tmp_path):
        built = built_by_another_process()
        rendered_for_another_record = selecting.BlockKey(built.pk, 0, 1, "inside", False)
        monkeypatch.setitem(selecting._block_cache, rendered_for_another_record, cast(Any, None))

        build_once(amina)

    assert not selecting._block_cache


@pytest.mark.django_db
def test_rows_built_once_are_forgotten_after_migrating_back(monkeypatch: pytest.MonkeyPatch) -> None:
    # Tables that a migration creates again count their ids from 1, so a new row could get the id of such a row.
    monkeypatch.setitem(kept_rows._snapshots, "rows with higher ids", cast(Any, None))

    with migrated_back([]):
        assert kept_rows._snapshots

    assert not kept_rows._snapshots
