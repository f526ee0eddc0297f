"""A worker distinguishes a stall from work, and ends by itself when emails stall."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from kombu.asynchronous import Hub

from housing import main_loop, watching
from housing.notifying import ALIVE, EXIT_MISCONFIGURED, EXIT_STALLED
from housing.watching import is_at_work, is_stalled, say_alive, watch

#: A program that runs a worker for which one email is overdue and no email is sent.
STALLED = """
import sys
from housing import worker
from django.conf import settings
settings.SECRET_KEY
import django
django.setup()
from housing import watching
watching.CHECK_EVERY_SECONDS = 0.2
watching.queue_figures = lambda: {"queued": 1, "oldest_due_seconds": 70}
watching.heartbeat_age = lambda name: None
watching.is_read_only = lambda: False
watching.record_heartbeat = lambda name: None
sys.exit(worker.main())
"""


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


def running_for(seconds: float, *, time_limit: int | None = None) -> SimpleNamespace:
    """Return a task that this worker began some seconds ago. Without its own limit, it may take 300 seconds."""
    return SimpleNamespace(time_start=time.time() - seconds, task=SimpleNamespace(time_limit=time_limit))


@pytest.mark.parametrize(
    ("seconds", "time_limit", "expected"),
    [
        ([], None, False),
        ([200], None, True),
        ([1_000], None, False),
        ([400], 510, True),
        ([1_000, 3], None, True),
    ],
)
def test_a_worker_is_at_work_while_a_task_is_within_its_time_limit(
    monkeypatch: pytest.MonkeyPatch, seconds: list[int], time_limit: int | None, expected: bool
) -> None:
    # The tasks begin now. The parameters of a test are computed when tests are collected, minutes before.
    tasks = [running_for(task_seconds, time_limit=time_limit) for task_seconds in seconds]
    monkeypatch.setattr("celery.worker.state.active_requests", tasks)

    assert is_at_work() is expected


def test_the_main_loop_ticks_at_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_loop, "_ticks", main_loop._Ticks())
    hub = Hub()
    main_loop.TickStep.start(main_loop.TickStep.__new__(main_loop.TickStep), SimpleNamespace(hub=hub))
    main_loop._ticks.last = 0.0

    next(hub.create_loop())

    assert main_loop._ticks.last > 0
    hub.close()


@pytest.mark.parametrize(
    ("ticked_before", "is_connecting", "should_stop", "expected"),
    [
        (None, False, None, False),
        (80, False, None, False),
        (100, False, None, True),
        (100, True, None, False),
        (100, False, 0, False),
    ],
    ids=["no loop", "moves", "hangs", "broker away", "stopping"],
)
def test_a_main_loop_hangs_if_it_should_tick_and_does_not(
    monkeypatch: pytest.MonkeyPatch,
    ticked_before: int | None,
    is_connecting: bool,
    should_stop: int | None,
    expected: bool,
) -> None:
    last = None if ticked_before is None else time.monotonic() - ticked_before
    monkeypatch.setattr(main_loop, "_ticks", main_loop._Ticks(last, is_connecting))
    monkeypatch.setattr("celery.worker.state.should_stop", should_stop)
    monkeypatch.setattr("celery.worker.state.active_requests", [running_for(200)])

    assert main_loop.hangs() is expected
    assert is_at_work() is not expected


def test_a_worker_whose_main_loop_hangs_does_not_notify_its_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, messages = iter([False, True, True, False]), list[str]()
    monkeypatch.setattr(watching, "CHECK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "notify", messages.append)
    monkeypatch.setattr(main_loop, "hangs", lambda: next(hangs))

    with pytest.raises(StopIteration):
        say_alive()

    assert messages == [ALIVE, ALIVE]


@pytest.fixture
def overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an email overdue at each check, without any progress."""
    monkeypatch.setattr(watching, "CHECK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "queue_figures", lambda: {"queued": 1, "oldest_due_seconds": 70})
    monkeypatch.setattr(watching, "heartbeat_age", lambda name: None)
    monkeypatch.setattr(watching, "is_read_only", lambda: False)
    monkeypatch.setattr(watching, "record_heartbeat", lambda name: None)
    monkeypatch.setattr(watching, "alert_operators", lambda subject, text: None)


@pytest.mark.usefixtures("overdue")
def test_a_worker_that_is_busy_with_a_long_job_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = iter([True, True, False])
    monkeypatch.setattr(watching, "is_at_work", lambda: next(busy))

    watch()

    assert list(busy) == [], "It ended only when the job was done."


@pytest.mark.usefixtures("overdue")
def test_a_worker_is_not_ended_while_the_database_takes_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    read_only = iter([False, True, True, False, False])
    monkeypatch.setattr(watching, "is_read_only", lambda: next(read_only))
    monkeypatch.setattr(watching, "is_at_work", lambda: False)

    watch()

    assert list(read_only) == [], (
        "The worker ends at the second check in a row after the database accepts writes again."
    )


@pytest.mark.usefixtures("overdue")
def test_operators_get_an_alert_at_the_second_check_of_a_read_only_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subjects: list[str] = []
    read_only = iter([True, False, True, True, False, False])
    monkeypatch.setattr(watching, "is_read_only", lambda: next(read_only))
    monkeypatch.setattr(watching, "is_at_work", lambda: False)
    monkeypatch.setattr(watching, "alert_operators", lambda subject, text: subjects.append(subject))

    watch()

    assert subjects == ["Workers cannot use the database", "The workers have stalled"]


def run_to_its_end(folder: Path, *arguments: str, **environ_changes: str) -> tuple[int, str]:
    """Run Python with these arguments and this environment; return its exit code and its output."""
    environ = os.environ | {"REDIS_URL": "memory://", "OPERATORS": "", "WORKER_CONCURRENCY": "1"} | environ_changes
    # The output goes to a file, because a pipe would also wait for the worker's own children.
    with (folder / "output").open("w+") as output:
        result = subprocess.run(
            [sys.executable, *arguments], cwd=settings.BASE_DIR, env=environ, stdout=output, stderr=output, check=False
        )
        output.seek(0)
        return result.returncode, output.read()


@pytest.mark.fault
def test_a_stalled_worker_ends_with_a_code_that_says_so(tmp_path: Path) -> None:
    code, output = run_to_its_end(tmp_path, "-c", STALLED, DEBUG="1")

    assert code == EXIT_STALLED, output[-2_000:]


@pytest.mark.parametrize("module", ["housing.worker", "housing.account_sender"])
def test_a_wrong_setting_ends_a_process_with_a_code_that_prevents_a_restart(module: str, tmp_path: Path) -> None:
    code, output = run_to_its_end(tmp_path, "-m", module, DEBUG="0", SITE_ORIGIN="not an address")

    assert code == EXIT_MISCONFIGURED, output[-2_000:]
    assert "SITE_ORIGIN" in output
    assert "Traceback" not in output


def test_units_expect_notifications_from_the_processes_that_send_them() -> None:
    for name in ("worker", "accounts", "beat"):
        unit = (settings.BASE_DIR / "docs" / "deploy" / "systemd" / f"common-ground-{name}.service").read_text()
        assert "Type=notify\n" in unit, name
        assert "WatchdogSec=" in unit, name
        # A stopped process does not act on the default signal, and would leave a useless core file.
        assert f"WatchdogSignal={signal.SIGKILL.name}\n" in unit, name
        # Celery's command, which starts beat, has no separate exit code for a wrong setting.
        assert (f"RestartPreventExitStatus={EXIT_MISCONFIGURED}\n" in unit) == (name != "beat"), name
