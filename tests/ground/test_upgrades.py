"""New migrations and `upgrade` keep their rules, and readiness and the maintenance page follow an upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.apps import apps
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.checks.async_checks import check_async_unsafe
from django.core.checks.registry import registry
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from housing.heartbeats import BACKUP, record_heartbeat
from housing.maintenance import MaintenanceMiddleware
from housing.metrics import all_metrics
from housing.upgrades import (
    LAST_BEFORE_RELEASES,
    known_migrations,
    migration_number,
    old_code_can_run,
    package_faults,
)
from partnerships.kit.constraints import RenameConstraints
from partnerships.kit.indexes import BuildIndexConcurrently
from tools.expand_contract import LARGE, migration_faults
from tools.release import faults_of as faults_of_release

ROOT = Path(django_settings.BASE_DIR)


# --- Migrations


def faults_of(*operations: Any, app: str = "plans", **attributes: Any) -> list[str]:
    """Return the faults that the check finds in a migration of an existing table."""
    state = ProjectState()
    table_creation = migrations.CreateModel(
        "Site",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=50, null=True)),
            ("homes", models.IntegerField(db_default=0)),
        ],
    )
    table_creation.state_forwards(app, state)
    migration = type("Migration", (migrations.Migration,), {"operations": list(operations), **attributes})(
        "0099_x", app
    )
    return migration_faults(migration, state)


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (migrations.RemoveField("site", "name"), "removes site.name, which old code still reads"),
        (migrations.DeleteModel("Site"), "deletes Site"),
        (migrations.RenameField("site", "name", "title"), "old code knows the old name"),
        (
            migrations.AddField("site", "beds", models.IntegerField(default=0)),
            "let it be null, or give it a db_default",
        ),
        (migrations.AlterField("site", "name", models.CharField(max_length=50)), "old code still writes NULL"),
        (migrations.AlterField("site", "name", models.CharField(max_length=9, null=True)), "up to 50 characters"),
        (migrations.AlterField("site", "name", models.IntegerField(null=True)), "its type changes"),
        (
            migrations.AddConstraint("site", models.CheckConstraint(condition=models.Q(name="x"), name="one")),
            "rows that old code writes may break it",
        ),
        (migrations.AlterField("site", "homes", models.IntegerField()), "old code leaves it to the database's default"),
        (migrations.AlterUniqueTogether("site", {("name", "homes")}), "rows that old code writes may not be"),
        (migrations.RunSQL("ALTER TABLE plans_site DROP COLUMN name"), "runs DROP COLUMN"),
        (migrations.RunSQL("ALTER TABLE plans_site ADD CONSTRAINT x CHECK (homes > 0)"), "runs ADD CONSTRAINT"),
        (migrations.RunSQL([("CREATE INDEX x ON plans_site (name)", None)]), "runs CREATE INDEX"),
    ],
)
def test_a_migration_that_breaks_old_code_is_refused(operation: Any, said: str) -> None:
    assert any(said in fault for fault in faults_of(operation)), faults_of(operation)
    assert faults_of(operation, safe_beside_old_code="Nothing has used it since 0.2.0.") == []


def test_changes_that_old_code_tolerates_are_allowed() -> None:
    allowed = (
        migrations.AddField("site", "beds", models.IntegerField(null=True)),
        migrations.AlterField("site", "homes", models.IntegerField(null=True)),
        migrations.AddField("site", "floors", models.IntegerField(db_default=1)),
        migrations.AlterField("site", "name", models.CharField(max_length=80, null=True)),
        migrations.CreateModel("Visit", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("visit", "homes", models.IntegerField(default=0)),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY x ON plans_site (name)"),
        migrations.RunSQL("ALTER TABLE plans_site ADD CONSTRAINT x CHECK (homes > 0)\nNOT VALID"),
    )

    assert faults_of(*allowed) == []


def test_an_index_on_a_large_table_must_be_built_beside_writers() -> None:
    index = models.Index(fields=["name"], name="x")
    with patch("tools.expand_contract.LARGE", {"plans.site"}):
        assert "use BuildIndexConcurrently" in faults_of(migrations.AddIndex("site", index))[0]
        assert "cannot be tried again" in faults_of(AddIndexConcurrently("site", index))[0]
        assert faults_of(BuildIndexConcurrently("site", index)) == []

    assert {apps.get_model(name)._meta.label_lower for name in LARGE} == LARGE


def test_a_migration_without_a_transaction_may_only_do_what_can_be_repeated() -> None:
    column = migrations.AddField("site", "beds", models.IntegerField(null=True))
    index = BuildIndexConcurrently("site", models.Index(fields=["name"], name="x"))

    assert faults_of(index, atomic=False) == []
    for why in ("", "Nothing has used it since 0.2.0."):
        (fault,) = faults_of(column, index, atomic=False, safe_beside_old_code=why)
        assert fault.startswith("cannot be tried again if it is cut off: Add field beds to site.")


@pytest.mark.django_db
def test_an_interrupted_index_is_built_again() -> None:
    state = ProjectState()
    migrations.CreateModel("Site", [("name", models.CharField(max_length=50))]).state_forwards("plans", state)
    index = BuildIndexConcurrently("site", models.Index(fields=["name"], name="site_by_name"))
    state_after = state.clone()
    index.state_forwards("plans", state_after)

    # The statements are only collected, not executed.
    with (
        patch.object(BuildIndexConcurrently, "_ensure_not_in_transaction"),  # the test runs in a transaction
        connection.schema_editor(collect_sql=True, atomic=False) as editor,
    ):
        index.database_forwards("plans", editor, state, state_after)

    drop, create = editor.collected_sql
    assert drop == 'DROP INDEX CONCURRENTLY IF EXISTS "site_by_name";'
    assert create.startswith('CREATE INDEX CONCURRENTLY "site_by_name" ON "plans_site"')


@pytest.mark.django_db
def test_constraints_are_renamed_without_checking_the_rows_again() -> None:
    constraints = [
        models.UniqueConstraint(fields=["name"], name="site_name"),
        models.CheckConstraint(condition=~models.Q(name=""), name="site_named"),
    ]
    state = ProjectState()
    fields = [("name", models.CharField(max_length=50))]
    migrations.CreateModel("Site", fields, {"constraints": constraints}).state_forwards("plans", state)
    renaming = RenameConstraints({"site": {"site_name": "unique_site_name", "site_named": "site_has_name"}})
    state_after = state.clone()
    renaming.state_forwards("plans", state_after)

    with connection.schema_editor(collect_sql=True) as editor:
        renaming.database_forwards("plans", editor, state, state_after)
        renaming.database_backwards("plans", editor, state_after, state)

    assert editor.collected_sql == [
        'ALTER INDEX "site_name" RENAME TO "unique_site_name";',
        'ALTER TABLE "plans_site" RENAME CONSTRAINT "site_named" TO "site_has_name";',
        'ALTER INDEX "unique_site_name" RENAME TO "site_name";',
        'ALTER TABLE "plans_site" RENAME CONSTRAINT "site_has_name" TO "site_named";',
    ]


def test_only_migrations_from_before_the_first_version_are_left_unchecked() -> None:
    newest: dict[str, int] = {}
    for app, name in known_migrations():
        newest[app] = max(migration_number(name), newest.get(app, 0))

    assert {app: last for app, last in LAST_BEFORE_RELEASES.items() if last > newest.get(app, 0)} == {}, (
        "these do not exist"
    )
    assert not old_code_can_run("plans", "0001_initial")
    assert old_code_can_run("plans", "9999_later")
    assert not old_code_can_run("auth", "0012_alter_user_first_name_max_length")


# --- The command


@pytest.fixture
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check that refuses in production the setting of tests/conftest.py for browsers.

    The setting itself must remain: the event loop of a browser may run in this process.
    """
    monkeypatch.setattr(registry, "deployment_checks", registry.deployment_checks - {check_async_unsafe})


def output_of_upgrade(*options: str) -> str:
    """Return the output of `upgrade --check`."""
    output = StringIO()
    call_command("upgrade", "--check", *options, stdout=output)
    return output.getvalue()


@pytest.mark.usefixtures("as_in_production")
@pytest.mark.django_db
def test_an_upgrade_with_nothing_to_migrate_needs_no_backup() -> None:
    assert "0 migrations are waiting" in output_of_upgrade()


@pytest.fixture
def waiting_migration(db: None) -> None:
    """Record that the last migration of commitments has not run. No later migration of its app needs it."""
    last_migration = max(name for app, name in known_migrations() if app == "commitments")
    connection.cursor().execute(
        "DELETE FROM django_migrations WHERE app = 'commitments' AND name = %s", [last_migration]
    )


@contextmanager
def judged(*, old_code_can_run: bool) -> Iterator[None]:
    """Judge within the block that old code can, or cannot, run with every waiting migration."""
    with patch("housing.management.commands.upgrade.old_code_can_run", return_value=old_code_can_run):
        yield


@pytest.mark.usefixtures("as_in_production", "waiting_migration")
def test_an_upgrade_names_all_that_prevents_it_at_once() -> None:
    with judged(old_code_can_run=False), pytest.raises(CommandError) as raised:
        output_of_upgrade()

    assert "There is no backup: run `manage.py backup`" in str(raised.value)
    assert "1 of 1 migrations are from before versions could run side by side" in str(raised.value)


@pytest.mark.usefixtures("as_in_production", "waiting_migration")
def test_an_upgrade_after_a_backup_can_go_ahead_if_old_code_can_run() -> None:
    record_heartbeat(BACKUP)

    with judged(old_code_can_run=True):
        output = output_of_upgrade()

    assert "1 migrations are waiting" in output


@pytest.mark.usefixtures("as_in_production", "waiting_migration")
def test_an_upgrade_from_a_version_without_heartbeats_names_all_that_prevents_it() -> None:
    # An installation from before 0.1.0 has no table of heartbeats.
    connection.cursor().execute("ALTER TABLE housing_heartbeat RENAME TO of_later")

    with judged(old_code_can_run=False), pytest.raises(CommandError) as raised:
        output_of_upgrade()

    assert "There is no backup" in str(raised.value)
    assert "1 of 1 migrations are from before versions could run side by side" in str(raised.value)


def test_no_fault_is_found_in_the_packages_of_this_environment() -> None:
    assert package_faults() == []


def test_a_package_in_another_version_is_named() -> None:
    with patch("housing.upgrades._installed_version", side_effect=lambda name: "" if name == "django" else "0.0.1"):
        faults = package_faults()

    assert "django is not installed." in faults
    assert any(fault.startswith("celery 0.0.1 is installed instead of") for fault in faults)
    assert not any(fault.startswith("pip ") for fault in faults)  # a virtual environment has its own version


def test_the_version_has_release_notes_that_say_what_an_operator_must_do() -> None:
    """Until the version is released, only the day may be missing."""
    faults = faults_of_release(ROOT, tags=set(), is_clean=True)

    assert [fault for fault in faults if "must say the day" not in fault and "not released yet" not in fault] == []


def test_a_version_that_is_not_ready_is_not_tagged(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "releases").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    for name in ("index.md", "upgrades.md"):
        (docs / name).write_text("[0.2.0](releases/0.2.0.md)\n")

    def faults_with(heading: str, notes: str, **given: Any) -> str:
        (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {heading}\n")
        (docs / "releases" / "0.2.0.md").write_text(notes)
        return " ".join(faults_of_release(tmp_path, **{"tags": set(), "is_clean": True} | given))

    notes = "# 0.2.0\n\nReleased on 2 February 2027.\n\n## What an operator must do\n\nNothing.\n"
    assert faults_with("0.2.0 (2 February 2027)", notes) == ""
    assert "must say the day" in faults_with("0.2.0 (unreleased)", notes)
    assert "newest heading of CHANGELOG.md is 0.1.0" in faults_with("0.1.0 (1 January 2027)", notes)
    assert "not released yet" in faults_with("0.2.0 (2 February 2027)", notes + "Not released yet.")
    assert "needs its headings" in faults_with("0.2.0 (2 February 2027)", "# 0.2.0\n")
    assert "tag v0.2.0 exists" in faults_with("0.2.0 (2 February 2027)", notes, tags={"v0.2.0"})
    assert "not committed" in faults_with("0.2.0 (2 February 2027)", notes, is_clean=False)


# --- Readiness


@pytest.mark.django_db
def test_a_process_with_newer_code_than_the_database_is_not_ready(client: Client) -> None:
    with patch("housing.upgrades.known_migrations", return_value={*known_migrations(), ("plans", "9999_later")}):
        response = client.get("/health/ready/")

    assert response.status_code == 503
    assert response.json() == {"ready": False, "waits_for": "migrations"}
    assert int(response["Retry-After"]) > 0


@pytest.mark.django_db
def test_a_process_with_older_code_than_the_database_stays_ready(client: Client) -> None:
    connection.cursor().execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('plans', '9999_later', now())"
    )

    assert client.get("/health/ready/").status_code == 200


@pytest.mark.django_db
def test_a_process_on_a_read_only_database_is_not_ready(client: Client) -> None:
    connection.cursor().execute("SET LOCAL default_transaction_read_only = on")

    response = client.get("/health/ready/")

    assert response.status_code == 503
    assert response.json()["waits_for"] == "read-only"
    assert "database_read_only 1.0" in all_metrics().decode()


# --- Maintenance


@pytest.fixture
def maintenance(tmp_path: Path, settings: LazySettings) -> Iterator[None]:
    """Begin maintenance at 11:00 on 30 November, until 14:30."""
    settings.MAINTENANCE_FILE = str(tmp_path / "maintenance")
    with time_machine.travel("2026-11-30 11:00+00:00", tick=False):
        call_command("maintenance", "on", "--until", "14:30", stdout=StringIO())
        yield


@pytest.mark.usefixtures("maintenance")
def test_during_maintenance_pages_say_when_to_return(client: Client) -> None:
    page = client.get("/accounts/login/")

    assert page.status_code == 503
    assert page["Retry-After"] == str(int(3.5 * 3600))
    assert page["Cache-Control"] == "no-store"
    assert "Try again after 14:30 on 30 November." in " ".join(page.content.decode().split())


@pytest.mark.usefixtures("maintenance")
def test_during_maintenance_forms_are_refused(client: Client) -> None:
    response = client.post("/accounts/login/", {"login": "amina@larkhaven.example"})

    assert response.status_code == 503


@pytest.mark.django_db
@pytest.mark.usefixtures("maintenance")
@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/", "/metrics"])
def test_during_maintenance_probes_still_answer(client: Client, settings: LazySettings, path: str) -> None:
    settings.METRICS_TOKEN = "prometheus-may-read"

    response = client.get(path, headers={"Authorization": "Bearer prometheus-may-read"})

    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("maintenance")
def test_pages_open_again_after_maintenance(client: Client) -> None:
    call_command("maintenance", "off", stdout=StringIO())

    assert client.get("/accounts/login/").status_code == 200


def test_maintenance_answers_without_the_database(client: Client, tmp_path: Path, settings: LazySettings) -> None:
    settings.MAINTENANCE_FILE = str(tmp_path / "maintenance")
    (tmp_path / "maintenance").touch()  # by hand

    page = client.get("/")

    assert page.status_code == 503
    assert page["Retry-After"] == "300"
    assert "in a few minutes" in page.content.decode()


def test_maintenance_reads_no_upload(rf: RequestFactory, tmp_path: Path, settings: LazySettings) -> None:
    settings.MAINTENANCE_FILE = str(tmp_path / "maintenance")
    (tmp_path / "maintenance").touch()
    lettings = ContentFile(b"household,income\n1,2\n", name="lettings.csv")
    request = rf.post(reverse("nominations:upload", args=[1, 1]), {"file": lettings})

    response = MaintenanceMiddleware(lambda _request: HttpResponse())(request)

    assert response.status_code == 503
    assert len(request.read()) == int(request.META["CONTENT_LENGTH"])
