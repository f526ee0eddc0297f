"""The migration from sentences to codes keeps what every event says.

Events cannot be changed by hand while it runs.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from partnerships.activity.event_kinds import event_labels
from partnerships.activity.models import Change, Event, Subject
from tests.support.empty_database import empty_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SENTENCES, CODES = "0002_exports_and_contexts", "0003_code_events"
KNOWN: dict[str, str] = import_module(f"partnerships.activity.migrations.{CODES}").CODES


def migrate(name: str) -> None:
    """Migrate the room's tables to this migration."""
    executor = MigrationExecutor(connection)
    executor.migrate([("activity", name)])


def migrate_to_now() -> None:
    """Migrate the room's tables to its newest migration."""
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("activity"))


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    """Make a database with the tables of this room only: other rooms take minutes to migrate."""
    with empty_database("cg_events_coded_by_a_test"):
        yield


def insert_events(rows: list[tuple[str, str]], now: dt.datetime) -> list[int]:
    """Insert events without codes, each with a kind of record and a sentence, and return their ids."""
    found = []
    with connection.cursor() as cursor:
        for target_kind, verb in rows:
            cursor.execute(
                "INSERT INTO activity_event (verb, target_kind, target_id, within_kind, at, data)"
                " VALUES (%s, %s, 1, '', %s, '{\"title\": \"Larkhaven\"}') RETURNING id",
                [verb, target_kind, now],
            )
            found.append(cursor.fetchone()[0])
    return found


def event_rows(numbers: list[int]) -> list[dict[str, Any]]:
    """Return these events as rows of SQL, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(e)::text FROM activity_event e WHERE id = ANY(%s) ORDER BY id", [numbers])
        return [json.loads(row) for (row,) in cursor.fetchall()]


def test_every_sentence_becomes_its_code_and_reversing_restores_it() -> None:
    given = [
        (sentence.partition(": ")[0] if ": " in sentence else "plan", sentence.rpartition(": ")[2])
        for sentence in KNOWN
    ]
    odd = [("plan", "planted a tree"), ("partnership", "changed the terms"), ("commitment", "changed the terms")]
    migrate(SENTENCES)
    numbers = insert_events([*given, *odd], timezone.now())
    before = event_rows(numbers)
    migrate_to_now()

    coded = list(Event.objects.filter(pk__in=numbers).order_by("pk"))

    assert [event.kind for event in coded] == [
        *KNOWN.values(),
        "other",
        "partnership.terms_changed",
        "commitment.terms_changed",
    ]
    assert coded[len(given)].label == "Planted a tree"
    assert all(event.data["title"] == "Larkhaven" for event in coded)
    assert {event.kind for event in coded} <= {"other", *event_labels()}

    migrate(SENTENCES)
    after = event_rows(numbers)
    migrate_to_now()
    # Two sentences have one code: reversing gives the one written last.
    last = {"declined an ask for all": "closed an ask that all have declined"}
    assert after == [{**row, "verb": last.get(row["verb"], row["verb"])} for row in before]


def test_event_cannot_be_changed_after_the_migration() -> None:
    migrate(SENTENCES)
    [number] = insert_events([("plan", "agreed")], timezone.now())
    migrate_to_now()

    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        Event.objects.filter(pk=number).update(kind="plan.started")

    assert Event.objects.get(pk=number).kind == "plan.agreed"


def test_old_events_are_numbered_in_the_order_in_which_they_came() -> None:
    migrate(CODES)
    rows = [
        ("plan.agreed", "plan", 1, "partnership", 5, "{}"),
        ("plan.draft_edited", "plan_draft", 1, "plan", 1, "{}"),
        ("commitment.proposed", "commitment", 9, "partnership", 5, "{}"),
        ("plan.version_published", "plan_version", 70, "partnership", 5, '{"plan": 1}'),
        ("partnership.status_changed", "partnership", 5, "partnership", 5, "{}"),
    ]
    events = []
    with connection.cursor() as cursor:
        for row in rows:
            cursor.execute(
                "INSERT INTO activity_event (kind, target_kind, target_id, within_kind, within_id, data, at)"
                " VALUES (%s, %s, %s, %s, %s, %s, now()) RETURNING id",
                row,
            )
            events.append(cursor.fetchone()[0])
    migrate_to_now()

    found = Change.objects.values_list("subject__kind", "subject__record_id", "number", "event")
    agreed, _, proposed, published, status = events
    assert sorted(found) == [
        ("commitment", 9, 1, proposed),
        ("partnership", 5, 1, agreed),
        ("partnership", 5, 2, proposed),
        ("partnership", 5, 3, published),
        ("partnership", 5, 4, status),
        ("plan", 1, 1, agreed),
        ("plan", 1, 2, published),
    ]
    assert dict(Subject.objects.values_list("kind", "last_number")) == {"commitment": 1, "partnership": 4, "plan": 2}
