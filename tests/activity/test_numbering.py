"""Changes of a subject are numbered without gaps, whatever happens at the same time."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from partnerships.activity.models import Change, Event, Subject, Unnumbered
from partnerships.activity.queries import changes_between, newest_change_number
from partnerships.activity.subjects import SubjectKind
from tests.support.at_once import run_at_once

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


def test_each_subject_counts_its_own_changes_in_order() -> None:
    with transaction.atomic():
        event_of_both = record_event_of(PARTNERSHIP, PLAN)
        event_of_plan = record_event_of(PLAN)
    later_event_of_both = record_event_of(PLAN, PARTNERSHIP)

    assert numbered_events(SubjectKind.PLAN, 7) == [
        (1, event_of_both.pk),
        (2, event_of_plan.pk),
        (3, later_event_of_both.pk),
    ]
    assert numbered_events(SubjectKind.PARTNERSHIP, 3) == [(1, event_of_both.pk), (2, later_event_of_both.pk)]
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
    earlier_event = record_event_of(PLAN)
    with transaction.atomic():
        record_event_of(PLAN)
        transaction.set_rollback(True)

    later_event = record_event_of(PLAN)

    assert numbered_events(SubjectKind.PLAN, 7) == [(1, earlier_event.pk), (2, later_event.pk)]


def test_rolled_back_savepoint_leaves_no_gap() -> None:
    with transaction.atomic():
        earlier_event = record_event_of(PLAN)
        with transaction.atomic():
            record_event_of(PLAN)
            transaction.set_rollback(True)
        later_event = record_event_of(PLAN)

    assert numbered_events(SubjectKind.PLAN, 7) == [(1, earlier_event.pk), (2, later_event.pk)]


def test_two_transactions_at_once_leave_no_gap() -> None:
    both_recorded = threading.Barrier(2, timeout=60)

    def change() -> None:
        with transaction.atomic():
            record_event_of(PLAN, PARTNERSHIP)
            both_recorded.wait()
            record_event_of(PLAN)

    outcomes = run_at_once(change, change)

    assert outcomes == [None, None]
    assert [number for number, _ in numbered_events(SubjectKind.PLAN, 7)] == [1, 2, 3, 4]
    assert [number for number, _ in numbered_events(SubjectKind.PARTNERSHIP, 3)] == [1, 2]


def test_opposite_order_of_records_does_not_deadlock() -> None:
    both_recorded = threading.Barrier(2, timeout=60)

    def record_in_order(subject: str, next_subject: str) -> None:
        for _ in range(20):
            with transaction.atomic():
                record_event_of(subject)
                both_recorded.wait()
                record_event_of(next_subject)

    outcomes = run_at_once(
        partial(record_in_order, PLAN, PARTNERSHIP),
        partial(record_in_order, PARTNERSHIP, PLAN),
    )

    assert outcomes == [None, None]
    numbers = [number for number, _ in numbered_events(SubjectKind.PLAN, 7)]
    assert numbers == list(range(1, 41))


def test_subjects_are_locked_after_foreign_keys_are_checked() -> None:
    record_event_of(PLAN)
    is_locked = threading.Event()
    is_ready_to_commit = threading.Event()
    other_subject = Subject.objects.create(kind="plan", record_id=8, last_number=0)

    def refer_to_other_subject() -> None:
        is_locked.wait(60)
        with transaction.atomic():
            record_event_of(PLAN)
            # At the commit, the foreign key waits for the subject that the other transaction has locked.
            Change.objects.create(subject=other_subject, number=1, event=record_event_of())
            is_ready_to_commit.set()

    def lock_other_subject() -> None:
        with transaction.atomic():
            Subject.objects.select_for_update().get(pk=other_subject.pk)
            is_locked.set()
            is_ready_to_commit.wait(60)
            record_event_of(PLAN)

    outcomes = run_at_once(refer_to_other_subject, lock_other_subject)

    assert outcomes == [None, None]
    assert [number for number, _ in numbered_events(SubjectKind.PLAN, 7)] == [1, 2, 3]


def test_numbering_reads_only_the_events_of_its_transaction() -> None:
    """It once read every event of a young database, at each commit."""
    Event.objects.bulk_create(
        Event(kind="plan.agreed", target_kind="plan", target_id=7, at=timezone.now()) for _ in range(2000)
    )

    with transaction.atomic(), connection.cursor() as cursor:
        # Changes are numbered by a deferred trigger, which otherwise runs at the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        record_event_of(PLAN, PARTNERSHIP)
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'activity_event'")
        scans = cursor.fetchone()[0]

    assert scans == 0
    assert newest_change_number(kind=SubjectKind.PLAN, record_id=7) == 1


def test_numbers_cannot_be_changed() -> None:
    record_event_of(PLAN)

    with pytest.raises(DatabaseError, match="Cannot update or delete"):
        Change.objects.update(number=5)


def test_numbers_cannot_be_removed() -> None:
    record_event_of(PLAN)

    with pytest.raises(DatabaseError, match="Cannot update or delete"):
        Change.objects.all().delete()
