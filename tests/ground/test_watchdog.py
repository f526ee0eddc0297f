"""The watchdog tells a stalled worker from a busy one."""

from __future__ import annotations

from housing.watchdog import is_stalled


def test_overdue_emails_and_no_progress_are_a_stall() -> None:
    assert is_stalled(
        {"queued": 9, "sent": 4, "oldest_due_seconds": 70}, {"queued": 9, "sent": 4, "oldest_due_seconds": 85}
    )


def test_growing_ages_of_lanes_are_no_progress() -> None:
    before = {"queued": 9, "oldest_due_seconds": 70, "oldest_by_lane_seconds": {"account": 70, "digest": 0}}
    now = {"queued": 9, "oldest_due_seconds": 85, "oldest_by_lane_seconds": {"account": 85, "digest": 0}}

    assert is_stalled(before, now)


def test_a_long_queue_that_moves_is_not_a_stall() -> None:
    assert not is_stalled(
        {"queued": 900, "sent": 4, "oldest_due_seconds": 70}, {"queued": 500, "sent": 404, "oldest_due_seconds": 85}
    )


def test_emails_that_just_became_overdue_are_not_a_stall() -> None:
    assert not is_stalled({"queued": 1, "oldest_due_seconds": 50}, {"queued": 1, "oldest_due_seconds": 65})


def test_an_empty_queue_is_not_a_stall() -> None:
    assert not is_stalled({"queued": 0, "oldest_due_seconds": None}, {"queued": 0, "oldest_due_seconds": None})
