"""The migrations that move developer agreements out of `transfer` keep rows, history and permissions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps
from django.utils import timezone

from partnerships.developer_agreements.models import AgreementPromise, DeveloperAgreement
from tests.support.empty_database import empty_database

BEFORE = [("transfer", "0002_history_of_agreements_and_doubts"), ("commitments", "0003_forget_claims_of_reminders")]
#: Only these rooms are migrated, because all rooms would take minutes.
ROOMS = ("transfer", "developer_agreements", "commitments")
DATABASE_NAME = "cg_agreements_moved_by_a_test"
TABLES = ("developeragreement", "agreementpromise", "developeragreementevent", "agreementpromiseevent")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def database() -> Iterator[None]:
    """Connect to an empty database for the test."""
    with empty_database(DATABASE_NAME):
        yield


def rows_of(label: str) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of the four tables of agreements in an app, by table."""
    rows_by_table = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {label}_{table} ORDER BY 1")
            rows_by_table[table] = cursor.fetchall()
    return rows_by_table


def permissions_of(label: str) -> dict[str, int]:
    """Return the ids of the permissions on an app's agreements, by their codes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.codename, p.id FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id"
            " WHERE t.app_label = %s AND t.model = 'developeragreement'",
            [label],
        )
        return dict(cursor.fetchall())


def save_agreements_before_the_move(apps: StateApps) -> None:
    """Save two agreements with the models of `transfer`. One has a promise, and the other is changed later."""
    now = timezone.now()
    organisation = apps.get_model("organisations", "Organisation").objects.create(name="Westmarch")
    commitment = apps.get_model("commitments", "Commitment").objects.create(
        reference="CG-1",
        text="Twelve homes",
        giver_name="Quay Builders",
        receiver=organisation,
        owner_organisation=organisation,
        proposed_for=organisation,
        proposed_at=now,
        status_since=now,
        source="Register",
        source_reference="W/1",
    )
    run = apps.get_model("transfer", "ImportRun").objects.create(
        register="developer-agreements", file_name="a.csv", sha256="0" * 64, started_at=now
    )
    agreements = apps.get_model("transfer", "DeveloperAgreement").objects
    first, second = (
        agreements.create(reference=reference, kind="section 106", organisation=organisation, run=run)
        for reference in ("W/1", "W/2")
    )
    agreements.filter(pk=second.pk).update(kind="section 278")
    apps.get_model("transfer", "AgreementPromise").objects.create(agreement=first, commitment=commitment)


def migrate_forwards() -> None:
    """Run all migrations of the rooms concerned."""
    for room in ROOMS:
        call_command("migrate", room, verbosity=0)


def migrate_back() -> None:
    """Reverse the migrations up to those before the move."""
    call_command("migrate", "transfer", BEFORE[0][1], verbosity=0)


@pytest.fixture
def before_the_move(database: None) -> None:
    """Migrate the empty database to the state before the move, and save agreements there."""
    MigrationExecutor(connection).migrate(BEFORE)
    # This migrates nothing more, but Django creates the permissions at the end of the command.
    migrate_back()
    save_agreements_before_the_move(MigrationExecutor(connection).loader.project_state(BEFORE).apps)


def change_agreements_after_the_move() -> None:
    """Change an agreement and delete the promise with today's models, and check that triggers recorded both."""
    agreement = DeveloperAgreement.objects.get(reference="W/2")
    agreement.kind = "section 106"
    agreement.save(update_fields=["kind"])
    AgreementPromise.objects.all().delete()

    rows_by_table = rows_of("developer_agreements")
    assert len(rows_by_table["developeragreementevent"]) == 4
    assert len(rows_by_table["agreementpromiseevent"]) == 2


def test_move_and_its_reversal_keep_rows_history_and_permissions(before_the_move: None) -> None:
    rows_before = rows_of("transfer")
    permissions_before = permissions_of("transfer")
    assert {table: len(rows) for table, rows in rows_before.items()} == {
        "developeragreement": 2,
        "agreementpromise": 1,
        "developeragreementevent": 3,
        "agreementpromiseevent": 1,
    }
    assert len(permissions_before) == 4

    migrate_forwards()

    assert rows_of("developer_agreements") == rows_before
    assert permissions_of("developer_agreements") == permissions_before
    assert permissions_of("transfer") == {}

    change_agreements_after_the_move()
    rows_after_changes = rows_of("developer_agreements")
    migrate_back()

    assert rows_of("transfer") == rows_after_changes
    assert permissions_of("transfer") == permissions_before
