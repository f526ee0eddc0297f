"""A worker notices that its main loop hangs or that emails stall, and ends by itself so that it is restarted.

It does not end while a task is at work, while it waits for its broker, or while the database takes no writes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
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
    before = {"queued": 9, "sent": 4, "oldest_due_seconds": 70}
    now = {"queued": 9, "sent": 4, "oldest_due_seconds": 85}

    assert is_stalled(before, now)


def test_growing_ages_of_lanes_are_no_progress() -> None:
    before = {"queued": 9, "oldest_due_seconds": 70, "oldest_by_lane_seconds": {"account": 70, "digest": 0}}
    now = {"queued": 9, "oldest_due_seconds": 85, "oldest_by_lane_seconds": {"account": 85, "digest": 0}}

    assert is_stalled(before, now)


def test_a_long_queue_that_moves_is_not_a_stall() -> None:
    before = {"queued": 900, "sent": 4, "oldest_due_seconds": 70}
    now = {"queued": 500, "sent": 404, "oldest_due_seconds": 85}

    assert not is_stalled(before, now)


def test_emails_that_just_became_overdue_are_not_a_stall() -> None:
    before = {"queued": 1, "oldest_due_seconds": 50}
    now = {"queued": 1, "oldest_due_seconds": 65}

    assert not is_stalled(before, now)


def test_an_empty_queue_is_not_a_stall() -> None:
    figures = {"queued": 0, "oldest_due_seconds": None}

    assert not is_stalled(figures, figures)


def run_tasks(monkeypatch: pytest.MonkeyPatch, *begun_seconds_ago: float, time_limit: int | None = None) -> None:
    """Let this worker have tasks that it began some seconds ago. Without its own limit, a task may take 300 seconds."""
    task = SimpleNamespace(time_limit=time_limit)
    requests = [SimpleNamespace(time_start=time.time() - seconds, task=task) for seconds in begun_seconds_ago]
    monkeypatch.setattr("celery.worker.state.active_requests", requests)


def test_a_worker_without_a_task_is_not_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    run_tasks(monkeypatch)

    assert not is_at_work()


def test_a_worker_is_at_work_while_a_task_is_within_the_common_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    run_tasks(monkeypatch, 200)

    assert is_at_work()


def test_a_worker_whose_only_task_exceeds_its_time_limit_is_not_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    run_tasks(monkeypatch, 1_000)

    assert not is_at_work()


def test_a_worker_is_at_work_while_a_task_is_within_its_own_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    run_tasks(monkeypatch, 400, time_limit=510)

    assert is_at_work()


def test_a_worker_is_at_work_if_one_of_its_tasks_is_within_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    run_tasks(monkeypatch, 1_000, 3)

    assert is_at_work()


@dataclass
class Clock:
    """A clock that a test puts forward."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock of a main loop that has not ticked yet, in a worker that has a task."""
    clock = Clock()
    monkeypatch.setattr(main_loop, "time", clock)
    monkeypatch.setattr(main_loop, "_ticks", main_loop._Ticks())  # other tests in this process may have ticked
    run_tasks(monkeypatch, 200)
    return clock


def test_a_main_loop_ticks_when_it_starts_and_at_each_round(clock: Clock) -> None:
    hub = Hub()
    worker = SimpleNamespace(hub=hub)
    main_loop.TickStep(worker).start(worker)
    clock.seconds = 100
    assert main_loop.hangs()

    next(hub.create_loop())

    assert not main_loop.hangs()
    hub.close()


def test_a_worker_without_a_loop_does_not_hang(clock: Clock) -> None:
    clock.seconds = 100

    assert not main_loop.hangs()
    assert is_at_work()


def test_a_main_loop_that_ticked_80_seconds_ago_does_not_hang(clock: Clock) -> None:
    main_loop.tick()
    clock.seconds = 80

    assert not main_loop.hangs()
    assert is_at_work()


def test_a_worker_whose_main_loop_ticked_100_seconds_ago_hangs_and_is_not_at_work(clock: Clock) -> None:
    main_loop.tick()
    clock.seconds = 100

    assert main_loop.hangs()
    assert not is_at_work()


def test_a_main_loop_does_not_hang_while_the_worker_waits_for_its_broker(clock: Clock) -> None:
    main_loop.tick()

    with main_loop.connecting():
        clock.seconds = 100

        assert not main_loop.hangs()
        assert is_at_work()


def test_a_main_loop_does_not_hang_while_the_worker_stops(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    main_loop.tick()
    clock.seconds = 100
    monkeypatch.setattr("celery.worker.state.should_stop", 0)  # the exit code of a normal stop

    assert not main_loop.hangs()
    assert is_at_work()


def test_a_worker_whose_main_loop_hangs_does_not_notify_its_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = iter([False, True, True, False])
    messages: list[str] = []
    monkeypatch.setattr(watching, "CHECK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "notify", messages.append)
    monkeypatch.setattr(main_loop, "hangs", lambda: next(hangs))

    with pytest.raises(StopIteration):
        say_alive()

    assert messages == [ALIVE, ALIVE]


@pytest.fixture
def overdue_email(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an email overdue at each check, without any progress."""
    monkeypatch.setattr(watching, "CHECK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(watching, "queue_figures", lambda: {"queued": 1, "oldest_due_seconds": 70})
    monkeypatch.setattr(watching, "heartbeat_age", lambda name: None)
    monkeypatch.setattr(watching, "is_read_only", lambda: False)
    monkeypatch.setattr(watching, "record_heartbeat", lambda name: None)
    monkeypatch.setattr(watching, "alert_operators", lambda subject, text: None)


@pytest.mark.usefixtures("overdue_email")
def test_a_worker_that_is_busy_with_a_long_job_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    work_at_each_check = iter([True, True, False])
    monkeypatch.setattr(watching, "is_at_work", lambda: next(work_at_each_check))

    watch()

    assert list(work_at_each_check) == [], "The watch ends only when the job is done."


@pytest.mark.usefixtures("overdue_email")
def test_a_worker_is_not_ended_while_the_database_takes_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    read_only = iter([False, True, True, False, False])
    monkeypatch.setattr(watching, "is_read_only", lambda: next(read_only))
    monkeypatch.setattr(watching, "is_at_work", lambda: False)

    watch()

    assert list(read_only) == [], (
        "The worker ends at the second check in a row after the database accepts writes again."
    )


@pytest.mark.usefixtures("overdue_email")
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
    """Run Python with these arguments and this environment, and return its exit code and its output."""
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


def read_unit(name: str) -> str:
    """Return the text of a systemd unit."""
    return (settings.BASE_DIR / "docs" / "deploy" / "systemd" / f"common-ground-{name}.service").read_text()


@pytest.mark.parametrize("name", ["worker", "accounts", "beat"])
def test_units_expect_notifications_from_the_processes_that_send_them(name: str) -> None:
    unit = read_unit(name)

    assert "Type=notify\n" in unit
    assert "WatchdogSec=" in unit
    # A stopped process does not act on the default signal, and would leave a useless core file.
    assert f"WatchdogSignal={signal.SIGKILL.name}\n" in unit


def test_units_do_not_restart_a_process_that_has_a_wrong_setting() -> None:
    line = f"RestartPreventExitStatus={EXIT_MISCONFIGURED}\n"

    assert line in read_unit("worker")
    assert line in read_unit("accounts")
    assert line not in read_unit("beat"), "Celery's command, which starts beat, has no such exit code."
