"""The migration turns two lists of organisations into ties, and removes parents that are the organisation itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from tests.support.empty_database import empty_database

BEFORE = [("organisations", "0006_reword_end_of_organisation")]
AFTER = "0015_former_short_names"
MOVED = "cg_successions_moved_by_a_test"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def database() -> Iterator[None]:
    """Use an empty database instead of the suite's database."""
    with empty_database(MOVED):
        yield


def add_old_records(apps: StateApps) -> None:
    """Add two districts that became one council, a boundary change with both on both sides, and a body above itself."""
    organisations = apps.get_model("organisations", "Organisation").objects
    successions = apps.get_model("organisations", "Succession").objects
    predecessors = apps.get_model("organisations", "SuccessionPredecessor").objects
    successors = apps.get_model("organisations", "SuccessionSuccessor").objects

    elm = organisations.create(name="Elm", kind="council")
    ewell = organisations.create(name="Ewell", kind="council")
    east = organisations.create(name="East", kind="council")
    organisations.filter(pk=east.pk).update(parent_id=east.pk)

    merger = successions.create(kind="merge", on=dt.date(2021, 4, 1))
    predecessors.create(succession=merger, organisation=elm)
    predecessors.create(succession=merger, organisation=ewell)
    successors.create(succession=merger, organisation=east)

    boundary_change = successions.create(kind="boundary_change", on=None)
    for body in (elm, ewell):
        predecessors.create(succession=boundary_change, organisation=body)
        successors.create(succession=boundary_change, organisation=body)


def rows_of(sql: str) -> list[Any]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


SELECT_TIES = """
    SELECT succession.kind, succession.status, succession.vests_on, predecessor.name, successor.name, tie.role
    FROM organisations_successiontie tie
    JOIN organisations_succession succession ON succession.id = tie.succession_id
    JOIN organisations_organisation predecessor ON predecessor.id = tie.predecessor_id
    JOIN organisations_organisation successor ON successor.id = tie.successor_id
    ORDER BY succession.id, predecessor.name, successor.name
"""


def test_two_lists_become_ties_and_keep_every_body_and_day(database: None) -> None:
    MigrationExecutor(connection).migrate(BEFORE)
    add_old_records(MigrationExecutor(connection).loader.project_state(BEFORE).apps)

    call_command("migrate", "organisations", AFTER, verbosity=0)

    assert rows_of(SELECT_TIES) == [
        ("merge", "effective", "2021-04-01", "Elm", "East", "successor"),
        ("merge", "effective", "2021-04-01", "Ewell", "East", "successor"),
        ("boundary_change", "effective", None, "Elm", "Elm", "continuing"),
        ("boundary_change", "effective", None, "Elm", "Ewell", "successor"),
        ("boundary_change", "effective", None, "Ewell", "Elm", "successor"),
        ("boundary_change", "effective", None, "Ewell", "Ewell", "continuing"),
    ]
    assert rows_of("SELECT count(*) FROM organisations_organisation WHERE parent_id IS NOT NULL") == [(0,)]
