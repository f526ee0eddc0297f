"""Changes of a subject are numbered without gaps, whatever happens at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from partnerships.activity.models import Change, Event, Subject, Unnumbered
from partnerships.activity.queries import changes_between, newest_change_number
from partnerships.activity.subjects import SubjectKind

pytestmark = pytest.mark.django_db(transaction=True)

PLAN, PARTNERSHIP = "plan:7", "partnership:3"


def record_event_of(*subjects: str) -> Event:
    """Record an event about these subjects."""
    return Event.objects.create(
        kind="plan.agreed", target_kind="plan", target_id=7, at=timezone.now(), subjects=list(subjects)
    )


def numbered_events(kind: SubjectKind, record_id: int) -> list[tuple[int, int]]:
    """Return the numbers and events (ids) of the changes of a subject."""
    changes = Change.objects.filter(subject__kind=kind, subject__record_id=record_id).order_by("number")
    return list(changes.values_list("number", "event"))


def run_at_once(*works: Callable[[], None]) -> list[Exception]:
    """Run these functions in threads with connections of their own, and return their errors."""
    errors: list[Exception] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the test shows it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return errors


def test_each_subject_counts_its_own_changes_in_order() -> None:
    with transaction.atomic():
        first = record_event_of(PARTNERSHIP, PLAN)
        second = record_event_of(PLAN)
    third = record_event_of(PLAN, PARTNERSHIP)

    assert numbered_events(SubjectKind.PLAN, 7) == [(1, first.pk), (2, second.pk), (3, third.pk)]
    assert numbered_events(SubjectKind.PARTNERSHIP, 3) == [(1, first.pk), (2, third.pk)]
    assert newest_change_number(kind=SubjectKind.PLAN, record_id=7) == 3
    assert not Unnumbered.objects.exists()


def test_changes_between_two_numbers_come_in_order() -> None:
    events = [record_event_of(PLAN) for _ in range(4)]

    changes = changes_between(kind=SubjectKind.PLAN, record_id=7, after=1, up_to=3)

    assert [(change.number, change.event) for change in changes] == [(2, events[1]), (3, events[2])]


def test_event_without_subject_gets_no_number() -> None:
    record_event_of()

    assert not Change.objects.exists()
    assert newest_change_number(kind=SubjectKind.PLAN, record_id=7) == 0


def test_rollback_leaves_no_gap() -> None:
    before = record_event_of(PLAN)
    with transaction.atomic():
        record_event_of(PLAN)
        transaction.set_rollback(True)
    after = record_event_of(PLAN)

    assert numbered_events(SubjectKind.PLAN, 7) == [(1, before.pk), (2, after.pk)]


def test_rolled_back_savepoint_leaves_no_gap() -> None:
    with transaction.atomic():
        kept_event = record_event_of(PLAN)
        with transaction.atomic():
            record_event_of(PLAN)
            transaction.set_rollback(True)
        last = record_event_of(PLAN)

    assert numbered_events(SubjectKind.PLAN, 7) == [(1, kept_event.pk), (2, last.pk)]


def test_two_transactions_at_once_leave_no_gap() -> None:
    both_recorded = threading.Barrier(2, timeout=60)

    def change() -> None:
        with transaction.atomic():
            record_event_of(PLAN, PARTNERSHIP)
            both_recorded.wait()
            record_event_of(PLAN)

    errors = run_at_once(change, change)

    assert errors == []
    assert [number for number, _ in numbered_events(SubjectKind.PLAN, 7)] == [1, 2, 3, 4]
    assert [number for number, _ in numbered_events(SubjectKind.PARTNERSHIP, 3)] == [1, 2]


def test_opposite_order_of_records_does_not_deadlock() -> None:
    both_recorded = threading.Barrier(2, timeout=60)

    def change(first: str, second: str) -> Callable[[], None]:
        def work() -> None:
            for _ in range(20):
                with transaction.atomic():
                    record_event_of(first)
                    both_recorded.wait()
                    record_event_of(second)

        return work

    errors = run_at_once(change(PLAN, PARTNERSHIP), change(PARTNERSHIP, PLAN))

    assert errors == []
    assert [number for number, _ in numbered_events(SubjectKind.PLAN, 7)] == list(range(1, 41))


def test_subjects_are_locked_after_foreign_keys_are_checked() -> None:
    record_event_of(PLAN)
    locked = threading.Event()
    waiting = threading.Event()
    other = Subject.objects.create(kind="plan", record_id=8, last_number=0)

    def refer() -> None:
        """Its foreign key waits at the commit for the row that the other holds."""
        locked.wait(60)
        with transaction.atomic():
            record_event_of(PLAN)
            Change.objects.create(subject=other, number=1, event=record_event_of())
            waiting.set()

    def hold() -> None:
        with transaction.atomic():
            Subject.objects.select_for_update().get(pk=other.pk)
            locked.set()
            waiting.wait(60)
            record_event_of(PLAN)

    errors = run_at_once(refer, hold)

    assert errors == []
    assert [number for number, _ in numbered_events(SubjectKind.PLAN, 7)] == [1, 2, 3]


def test_numbering_reads_only_the_events_of_its_transaction() -> None:
    """It once read every event of a young database, at each commit."""
    Event.objects.bulk_create(
        Event(kind="plan.agreed", target_kind="plan", target_id=7, at=timezone.now()) for _ in range(2000)
    )

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        record_event_of(PLAN, PARTNERSHIP)
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'activity_event'")
        [(scans,)] = cursor.fetchall()

    assert scans == 0
    assert newest_change_number(kind=SubjectKind.PLAN, record_id=7) == 1


def test_numbers_cannot_be_changed_or_removed() -> None:
    record_event_of(PLAN)

    with pytest.raises(DatabaseError, match="Cannot update or delete"):
        Change.objects.update(number=5)
    with pytest.raises(DatabaseError, match="Cannot update or delete"):
        Change.objects.all().delete()
