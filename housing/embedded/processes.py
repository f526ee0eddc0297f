"""One child process of the supervisor: started, watched, brought back when it dies, ended with all its own children."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
# A part that dies at once is brought back after 1, 2, 4 and then every 5 seconds: always within ten.
LONGEST_PAUSE = 5.0
LIVED_WELL = 30.0


@dataclass
class Child:
    """A named process with its log; `user` is whom to become when started as root."""

    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    user: int | None = None
    group: int | None = None
    cwd: Path | None = None
    keep_open: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    restarts: int = 0
    process: subprocess.Popen[bytes] | None = None
    before_restart: Callable[[], None] | None = None
    _started: float = 0.0
    _pause: float = 0.5
    _retry_at: float = 0.0
    _output: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor alone and in order."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self._output is None:
            self._output = self.log.open("ab")
        self.process = subprocess.Popen(
            list(self.argv),
            env=dict(self.env) if self.env is not None else None,
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
        self._retry_at = 0.0

    @property
    def pid(self) -> int | None:
        """Its process id, while it has one."""
        return self.process.pid if self.process else None

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self.process is not None and self.process.poll() is None

    def revive(self, *, clock: float) -> bool:
        """Start it again if it has died and its pause is over; true when it was started."""
        if self.process is None or self.is_running:
            return False
        if not self._retry_at:
            lived = clock - self._started
            self._pause = 0.5 if lived > LIVED_WELL else min(self._pause * 2, LONGEST_PAUSE)
            self._retry_at = clock + (self._pause if lived < LIVED_WELL else 0.0)
        if clock < self._retry_at:
            return False
        self._end_group(signal.SIGKILL)
        if self.before_restart:
            self.before_restart()
        self.start()
        self.restarts += 1
        return True

    def ask_to_stop(self) -> None:
        """Send the polite signal and return at once."""
        if self.process is not None and self.is_running:
            self.process.send_signal(self.stop_signal)

    def stop(self) -> None:
        """Stop it: politely, then, when its patience has run out, with all its children."""
        if self.process is None:
            return
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.patience)
        self._end_group(signal.SIGKILL)
        self.process.wait()
        self.process = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def _end_group(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


def dies_with_parent(number: int) -> Callable[[], None] | None:
    """A hook that makes the kernel end the child when the supervisor is killed outright; Linux alone has it."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)

    def ask_the_kernel() -> None:
        library.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)

    return ask_the_kernel


def wait_until(ready: Callable[[], bool], *, child: Child, seconds: float) -> None:
    """Wait until `ready()` holds; raise `UnableToStart`, with the end of its log, when it dies or time runs out."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        if not child.is_running:
            break
        time.sleep(0.05)
    raise UnableToStart(f"{child.name} did not start. The end of {child.log}:\n{last_lines(child.log)}")


def last_lines(path: Path, *, count: int = 15) -> str:
    """The end of a log, or a word that there is none."""
    if not path.exists():
        return "(no log)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])


class UnableToStart(Exception):
    """A part could not be brought up; the message says which, and what its log said."""
