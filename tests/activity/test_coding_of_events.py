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
    """Make a database with only the tables of this room: those of other rooms take minutes to migrate."""
    with empty_database("cg_events_coded_by_a_test"):
        yield


def insert_events(rows: list[tuple[str, str]], now: dt.datetime) -> list[int]:
    """Insert events without codes, each with a kind of record and a sentence, and return their ids."""
    event_ids = []
    with connection.cursor() as cursor:
        for target_kind, verb in rows:
            cursor.execute(
                "INSERT INTO activity_event (verb, target_kind, target_id, within_kind, at, data)"
                " VALUES (%s, %s, 1, '', %s, '{\"title\": \"Larkhaven\"}') RETURNING id",
                [verb, target_kind, now],
            )
            event_ids.append(cursor.fetchone()[0])
    return event_ids


def event_rows(event_ids: list[int]) -> list[dict[str, Any]]:
    """Return these events as rows of SQL, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(e)::text FROM activity_event e WHERE id = ANY(%s) ORDER BY id", [event_ids])
        return [json.loads(row) for (row,) in cursor.fetchall()]


def insert_known_events() -> list[int]:
    """Insert an event for each sentence that the migration knows, in order, and return their ids.

    A sentence may begin with the kind of its record, for example "commitment: changed the terms".
    """
    rows = [
        (sentence.partition(": ")[0] if ": " in sentence else "plan", sentence.rpartition(": ")[2])
        for sentence in KNOWN
    ]
    return insert_events(rows, timezone.now())


def test_every_known_sentence_becomes_its_code() -> None:
    migrate(SENTENCES)
    event_ids = insert_known_events()

    migrate_to_now()

    events = list(Event.objects.filter(pk__in=event_ids).order_by("pk"))
    assert [event.kind for event in events] == list(KNOWN.values())
    assert {event.kind for event in events} <= set(event_labels())
    assert all(event.data["title"] == "Larkhaven" for event in events)


def test_unknown_sentence_becomes_the_label_of_an_event_of_another_kind() -> None:
    migrate(SENTENCES)
    [event_id] = insert_events([("plan", "planted a tree")], timezone.now())

    migrate_to_now()

    event = Event.objects.get(pk=event_id)
    assert event.kind == "other"
    assert event.label == "Planted a tree"
    assert event.data["title"] == "Larkhaven"


def test_code_of_a_sentence_depends_on_the_kind_of_its_record() -> None:
    migrate(SENTENCES)
    event_ids = insert_events(
        [("partnership", "changed the terms"), ("commitment", "changed the terms")], timezone.now()
    )

    migrate_to_now()

    events = Event.objects.filter(pk__in=event_ids).order_by("pk")
    assert [event.kind for event in events] == ["partnership.terms_changed", "commitment.terms_changed"]


def test_reversing_the_migration_restores_the_sentences() -> None:
    migrate(SENTENCES)
    odd_rows = [("plan", "planted a tree"), ("partnership", "changed the terms"), ("commitment", "changed the terms")]
    event_ids = [*insert_known_events(), *insert_events(odd_rows, timezone.now())]
    rows_before = event_rows(event_ids)
    migrate_to_now()

    migrate(SENTENCES)

    rows = event_rows(event_ids)
    migrate_to_now()
    # Two sentences have the same code, so both become the later one.
    later_sentence = {"declined an ask for all": "closed an ask that all have declined"}
    assert rows == [{**row, "verb": later_sentence.get(row["verb"], row["verb"])} for row in rows_before]


def test_event_cannot_be_changed_after_the_migration() -> None:
    migrate(SENTENCES)
    [event_id] = insert_events([("plan", "agreed")], timezone.now())
    migrate_to_now()

    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        Event.objects.filter(pk=event_id).update(kind="plan.started")

    assert Event.objects.get(pk=event_id).kind == "plan.agreed"


def insert_coded_event(kind: str, target: tuple[str, int], within: tuple[str, int], data: str = "{}") -> int:
    """Insert an event with a code, but without a number among the changes of its subjects. Return its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO activity_event (kind, target_kind, target_id, within_kind, within_id, data, at)"
            " VALUES (%s, %s, %s, %s, %s, %s, now()) RETURNING id",
            [kind, *target, *within, data],
        )
        event_id: int = cursor.fetchone()[0]
    return event_id


def test_old_events_are_numbered_in_the_order_in_which_they_came() -> None:
    migrate(CODES)
    partnership = ("partnership", 5)
    agreed = insert_coded_event("plan.agreed", ("plan", 1), partnership)
    insert_coded_event("plan.draft_edited", ("plan_draft", 1), ("plan", 1))
    proposed = insert_coded_event("commitment.proposed", ("commitment", 9), partnership)
    published = insert_coded_event("plan.version_published", ("plan_version", 70), partnership, '{"plan": 1}')
    status = insert_coded_event("partnership.status_changed", partnership, partnership)

    migrate_to_now()

    numbers = Change.objects.values_list("subject__kind", "subject__record_id", "number", "event")
    assert sorted(numbers) == [
        ("commitment", 9, 1, proposed),
        ("partnership", 5, 1, agreed),
        ("partnership", 5, 2, proposed),
        ("partnership", 5, 3, published),
        ("partnership", 5, 4, status),
        ("plan", 1, 1, agreed),
        ("plan", 1, 2, published),
    ]
    assert dict(Subject.objects.values_list("kind", "last_number")) == {"commitment": 1, "partnership": 4, "plan": 2}
