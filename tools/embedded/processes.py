"""A child process of the supervisor.

It is restarted when it dies or hangs, and stopped together with its own children.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
# A process that dies at once is restarted after 1, 2, 4 and then every 5 seconds.
MAX_RESTART_DELAY = 5.0
#: A process that ran for this many seconds is restarted at once.
STABLE_AFTER = 30.0
#: A process that reports that it is alive hangs if it has not reported for this many seconds. WatchdogSec= in
#: docs/deploy/systemd is the same.
ALIVE_WITHIN = 120.0


class UnableToStart(Exception):
    """A process did not start. The message has its name and the end of its log."""


@dataclass
class Child:
    """A named process and its log.

    `user` and `group` are the account to run as when started by root. The process may take `stop_seconds` to stop. With
    `uses_services`, it needs the database and the broker, so it is stopped before them. With `notify`, it reports to
    this socket that it is alive (housing/notifying.py). It hangs if it has not reported for `alive_within` seconds.
    """

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    user: int | None = None
    group: int | None = None
    cwd: Path | None = None
    keep_open: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    uses_services: bool = False
    restarts: int = 0
    process: subprocess.Popen[bytes] | None = None
    before_restart: Callable[[], None] | None = None
    notify: Path | None = None
    alive_within: float = ALIVE_WITHIN
    _listener: socket.socket | None = field(default=None, repr=False)
    #: When it last reported that it is alive, or 0 before the first report.
    _alive_at: float = 0.0
    _started: float = 0.0
    _delay: float = 0.5
    _restart_at: float = 0.0
    _output: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a separate session, so that Ctrl-C stops only the supervisor."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self._output is None:
            self._output = self.log.open("ab")
        self.process = subprocess.Popen(
            list(self.argv),
            env=self._environ(),
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            user=self.user,
            group=self.group,
            extra_groups=[] if self.user is not None else None,
            pass_fds=tuple(self.keep_open),
            start_new_session=True,
            preexec_fn=dies_with_parent(self.stop_signal),  # noqa: PLW1509 - the supervisor has one thread
        )
        self._started = time.monotonic()
        self._restart_at = 0.0

    def _environ(self) -> dict[str, str] | None:
        """Return the process's environment, with the socket at which this supervisor listens, as systemd does."""
        if self.notify is None:
            return dict(self.env) if self.env is not None else None
        if self._listener is None:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._listener.setblocking(False)
            self._listener.bind(str(self.notify))
        self._hear()  # discard the reports of an earlier process
        self._alive_at = 0.0
        return {**(os.environ if self.env is None else self.env), "NOTIFY_SOCKET": str(self.notify)}

    def _hear(self) -> bool:
        """Read all waiting reports, and return whether there was one."""
        heard = False
        with contextlib.suppress(BlockingIOError):
            while self._listener is not None:
                heard = bool(self._listener.recv(4096))
        return heard

    @property
    def pid(self) -> int | None:
        """Return the process id, or None before the process has started."""
        return self.process.pid if self.process else None

    @property
    def is_running(self) -> bool:
        """Return whether the process has started and has not died."""
        return self.process is not None and self.process.poll() is None

    def restart_if_dead(self, *, now: float) -> bool:
        """Restart it if it has died and its delay is over, and return whether it was restarted.

        `now` is a time of `time.monotonic`.
        """
        if self.process is None or self.is_running:
            return False
        if not self._restart_at:
            lived = now - self._started
            self._delay = 0.5 if lived > STABLE_AFTER else min(self._delay * 2, MAX_RESTART_DELAY)
            self._restart_at = now + (self._delay if lived < STABLE_AFTER else 0.0)
        if now < self._restart_at:
            return False
        self._signal_group(signal.SIGKILL)
        if self.before_restart:
            self.before_restart()
        self.start()
        self.restarts += 1
        return True

    def restart_if_hanging(self, *, now: float) -> bool:
        """Restart it if it said that it is alive, and then nothing for too long.

        Returns whether it did.
        """
        if self._hear():
            self._alive_at = now
        if not self.is_running or not self._alive_at or now - self._alive_at <= self.alive_within:
            return False
        # It does not listen, so it is not asked first.
        self._signal_group(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()
        self.start()
        self.restarts += 1
        return True

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self.process is not None and self.is_running:
            self.process.send_signal(self.stop_signal)

    def stop(self) -> None:
        """Send the stop signal, wait `stop_seconds`, then kill it and all its children."""
        if self.process is None:
            return
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.stop_seconds)
        self._signal_group(signal.SIGKILL)
        self.process.wait()
        self.process = None
        if self._output is not None:
            self._output.close()
            self._output = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            assert self.notify is not None
            self.notify.unlink(missing_ok=True)

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def dies_with_parent(number: int) -> Callable[[], None] | None:
    """Return a hook by which the kernel ends a child when its parent is killed.

    None outside Linux.
    """
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)

    def set_death_signal() -> None:
        library.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)

    return set_death_signal


def wait_until(ready: Callable[[], bool], *, child: Child, seconds: float) -> None:
    """Wait until `ready()` is true.

    Raises `UnableToStart`, with the end of the child's log, when the child dies or time runs out.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        if not child.is_running:
            break
        time.sleep(0.05)
    raise UnableToStart(f"{child.name} did not start. The end of {child.log}:\n{last_lines(child.log)}")


def last_lines(path: Path, *, count: int = 15) -> str:
    """Return the last lines of a log, or "(no log)"."""
    if not path.exists():
        return "(no log)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
