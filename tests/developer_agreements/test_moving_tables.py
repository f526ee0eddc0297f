"""The move of developer agreements to a room of their own keeps rows, history and permissions."""

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
#: The rooms whose tables this needs: those of all rooms take minutes to migrate.
ROOMS = ("transfer", "developer_agreements", "commitments")
MOVED = "cg_agreements_moved_by_a_test"
TABLES = ("developeragreement", "agreementpromise", "developeragreementevent", "agreementpromiseevent")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def database() -> Iterator[None]:
    """Provide an empty database instead of the suite's."""
    with empty_database(MOVED):
        yield


def rows_of(label: str) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of the four tables of an app, by table."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {label}_{table} ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


def permissions_of(label: str) -> dict[str, int]:
    """Return the permissions on an app's agreements, by code."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.codename, p.id FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id"
            " WHERE t.app_label = %s AND t.model = 'developeragreement'",
            [label],
        )
        return dict(cursor.fetchall())


def fill(apps: StateApps) -> None:
    """Two agreements, one with a promise and one changed later, as an import before the move saved them."""
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


def test_the_move_keeps_rows_history_and_permissions_both_ways(database: None) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    # Nothing is left to migrate: this makes the permissions.
    call_command("migrate", "transfer", BEFORE[0][1], verbosity=0)
    fill(MigrationExecutor(connection).loader.project_state(BEFORE).apps)
    before = rows_of("transfer")
    permissions = permissions_of("transfer")

    for room in ROOMS:
        call_command("migrate", room, verbosity=0)

    assert {table: len(rows) for table, rows in before.items()} == {
        "developeragreement": 2,
        "agreementpromise": 1,
        "developeragreementevent": 3,
        "agreementpromiseevent": 1,
    }
    assert rows_of("developer_agreements") == before
    assert len(permissions) == 4
    assert permissions_of("developer_agreements") == permissions
    assert permissions_of("transfer") == {}

    agreement = DeveloperAgreement.objects.get(reference="W/2")
    agreement.kind = "section 106"
    agreement.save(update_fields=["kind"])
    AgreementPromise.objects.all().delete()
    moved = rows_of("developer_agreements")

    assert len(moved["developeragreementevent"]) == 4
    assert len(moved["agreementpromiseevent"]) == 2

    call_command("migrate", "transfer", BEFORE[0][1], verbosity=0)

    assert rows_of("transfer") == moved
    assert permissions_of("transfer") == permissions
