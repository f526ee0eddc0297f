"""Drains in threads of their own, so that one slow email does not hold up the others.

All mail leaves through one relay, which may keep a sender waiting for one email only, up to EMAIL_DATA_TIMEOUT. Its
thread is left behind to wait, and another goes on with the rest. If MAX_SLOW_PER_DOMAIN of them wait for one domain of
recipients, its other emails wait too. If a process has MAX_SLOW such threads, the relay as a whole is slow: the process
sends nothing until one of them has its answer. Where most answers leave emails in doubt, it pauses.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import connections

from partnerships.kit.accounting import acting
from partnerships.outbox.doubts import Doubts
from partnerships.outbox.draining import SLOW, Progress, drain

#: The emails of one process that a mail server may keep waiting. Each costs a thread and a database connection.
MAX_SLOW = 8
#: Those of one domain. One may be slow because of what it says; two say something about the domain.
MAX_SLOW_PER_DOMAIN = 2
_LOOK_EVERY_SECONDS = 0.05

log = structlog.get_logger(__name__)


class DrainThreads:
    """The drains of one process, one after another, and those left behind.

    A drain is left behind after its present email has taken `patience` seconds.
    """

    def __init__(self, *, lanes: str, patience: float, job: str) -> None:
        self._lanes = lanes
        self._patience = patience
        self._job = job  # for row history
        self._left: list[_DrainThread] = []
        self._doubts = Doubts()

    def run(self, *, seconds: float, is_stopping: Callable[[], bool] = lambda: False) -> bool:
        """Send what is due, for about this long; returns whether to stop for now.

        That is so if nothing more is due, if too many emails wait, while most answers leave emails in doubt, or if the
        process `is_stopping`: then what has not left is released at once. Raises what a drain raised.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if is_stopping() or self._doubts.is_paused():
                return True
            if self.is_full():
                log.warning("mail_server_keeps_emails_waiting", count=MAX_SLOW)
                return True
            progress = Progress(self._doubts)
            present = _DrainThread(left, self._lanes, self._job, self.slow_domains(), progress)
            self._left.append(present)
            present.start()
            try:
                while present.is_alive() and present.progress.waits() < self._patience and not is_stopping():
                    present.join(_LOOK_EVERY_SECONDS)
            finally:  # also if an error or a signal ends this process
                if is_slow := present.is_alive():
                    present.progress.leave()
            if not is_slow:
                return present.is_all() or self._doubts.is_paused()
        return False

    def paused_until(self) -> float:
        """When the pause of this process ends, or the last one ended; see `Doubts`."""
        return self._doubts.until

    def is_full(self) -> bool:
        """Whether the mail server keeps too many emails of this process waiting."""
        self._left = [thread for thread in self._left if thread.is_alive()]
        return len(self._left) >= MAX_SLOW

    def slow_domains(self) -> frozenset[str]:
        """Domains for which the mail server keeps too many emails waiting."""
        waiting = Counter(
            thread.progress.domain for thread in self._left if thread.is_alive() and thread.progress.waits() > SLOW
        )
        return frozenset(domain for domain, count in waiting.items() if count >= MAX_SLOW_PER_DOMAIN)

    def finish(self) -> None:
        """Wait for the answers to the emails left behind.

        If the process is killed meanwhile, they are in doubt, and are sent again when their lease ends.
        """
        until = time.monotonic() + settings.EMAIL_DATA_TIMEOUT + settings.EMAIL_TIMEOUT
        for thread in self._left:
            if thread.is_alive():
                thread.join(max(until - time.monotonic(), 0))


class _DrainThread(threading.Thread):
    """One drain, with a database connection of its own."""

    def __init__(self, seconds: float, lanes: str, job: str, avoid: frozenset[str], progress: Progress) -> None:
        super().__init__(name=f"drain-{lanes}", daemon=True)
        self.progress = progress
        self._seconds, self._lanes, self._job, self._avoid = seconds, lanes, job, avoid
        self._is_all = False
        self._error: Exception | None = None

    def run(self) -> None:
        """Drain, and close the connection."""
        try:
            with acting(job=self._job):
                tally = drain(seconds=self._seconds, lanes=self._lanes, avoid=self._avoid, progress=self.progress)
            self._is_all = tally.is_all
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for it
            self._error = error
            if self.progress.is_last:  # nobody waits any more
                log.error("slow_drain_failed", kind=type(error).__name__)
        finally:
            connections.close_all()

    def is_all(self) -> bool:
        """Whether nothing was left; raises what the drain raised."""
        if self._error is not None:
            raise self._error
        return self._is_all
