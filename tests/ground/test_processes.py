"""The supervisor's children restart and stop with their own children, and ports in use are skipped."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.embedded.ports import listen, port_of
from tools.embedded.processes import Child, UnableToStart, wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
A_CHILD = "import subprocess as s, sys; c = s.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
PARENT = [sys.executable, "-c", A_CHILD + "print(c.pid, flush=True); c.wait()"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Child]:
    """Provide a process that sleeps for a minute, and has not started."""
    child = Child(name="sleeper", argv=SLEEPER, log=tmp_path / "log")
    yield child
    child.stop()


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # the process has ended, perhaps just now
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def restarts_within(child: Child, seconds: float) -> bool:
    """Return whether the supervisor restarts the process in this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if child.restart_if_dead(now=time.monotonic()):
            return True
        time.sleep(0.05)
    return False


def test_a_killed_process_restarts_within_ten_seconds(sleeper: Child) -> None:
    sleeper.start()
    first_pid = sleeper.pid
    os.kill(first_pid or 0, signal.SIGKILL)

    assert restarts_within(sleeper, 10)
    assert sleeper.is_running
    assert sleeper.pid != first_pid


def test_a_running_process_is_not_restarted(sleeper: Child) -> None:
    sleeper.start()

    assert not sleeper.restart_if_dead(now=time.monotonic())
    assert sleeper.restarts == 0


def test_the_restart_delay_stays_at_five_seconds_or_less(tmp_path: Path) -> None:
    child = Child(name="hasty", argv=[sys.executable, "-c", ""], log=tmp_path / "log")
    child.start()
    now = time.monotonic()

    for _ in range(6):
        assert child.process
        child.process.wait()
        child.restart_if_dead(now=now)
        assert child.restart_if_dead(now=now + 5.01)
        now = time.monotonic()
    child.stop()

    assert child.restarts == 6


def test_a_stopped_process_stops_its_own_children(tmp_path: Path) -> None:
    child = Child(name="parent", argv=PARENT, log=tmp_path / "log", stop_seconds=1)
    child.start()
    wait_until(lambda: (tmp_path / "log").read_text().strip().isdigit(), child=child, seconds=60)
    grandchild = int((tmp_path / "log").read_text())

    child.stop()

    end = time.monotonic() + 60
    while is_alive(grandchild) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(grandchild)


def test_a_process_that_does_not_start_quotes_its_log(tmp_path: Path) -> None:
    child = Child(name="broken", argv=[sys.executable, "-c", "raise SystemExit('no such luck')"], log=tmp_path / "log")
    child.start()

    with pytest.raises(UnableToStart, match="no such luck"):
        wait_until(lambda: False, child=child, seconds=60)
    child.stop()


def test_the_next_free_port_replaces_a_taken_one() -> None:
    with listen("127.0.0.1", 47_100) as first, listen("127.0.0.1", port_of(first)) as second:
        assert port_of(second) > port_of(first)


def test_listening_on_a_foreign_address_is_an_error() -> None:
    with pytest.raises(OSError, match="assign requested address"), listen("192.0.2.1", 47_200):
        pass


def test_children_inherit_listening_sockets() -> None:
    with listen("127.0.0.1", 47_300) as holder:
        assert holder.get_inheritable()
        assert holder.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
