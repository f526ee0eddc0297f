"""Sends emails in separate threads, so that one slow email does not delay the others.

All emails are sent through one relay, which may take up to EMAIL_DATA_TIMEOUT for a single email.

* The thread that sends a slow email is left behind to wait, and another thread sends the other emails.
* If MAX_SLOW_PER_DOMAIN threads wait for one domain of recipients, other emails to this domain wait too.
* If MAX_SLOW threads of a process wait, the relay as a whole is slow: the process sends nothing until one of the
  threads has its answer.
* If most answers leave emails in doubt, the process pauses (see `doubts`).
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

#: How many emails of one process may wait for a slow server. Each takes a thread and a database connection.
MAX_SLOW = 8
#: How many of these may be for one domain. A single email may be slow because of its content, but two show that the
#: domain is slow.
MAX_SLOW_PER_DOMAIN = 2
_CHECK_EVERY_SECONDS = 0.05

log = structlog.get_logger(__name__)


class DrainThreads:
    """The drains of one process. One sends emails, and others still wait for the answer about a slow email.

    When the present email of a drain has taken `patience` seconds, the drain is left to wait and another begins.
    """

    def __init__(self, *, lanes: str, patience: float, job: str) -> None:
        self._lanes = lanes
        self._patience = patience
        self._job = job  # for row history
        self._threads: list[_DrainThread] = []
        self._doubts = Doubts()

    def run(self, *, seconds: float, is_stopping: Callable[[], bool] = lambda: False) -> bool:
        """Send due emails for about this long, and return whether to stop for now.

        It stops if nothing more is due, if too many emails wait for a slow server, or while most answers leave emails
        in doubt. If the process `is_stopping`, it releases unsent emails at once and stops. Raises an error that a
        drain has raised.
        """
        deadline = time.monotonic() + seconds
        while (seconds_left := deadline - time.monotonic()) > 0:
            if is_stopping() or self._doubts.is_paused():
                return True
            if self.is_full():
                log.warning("mail_server_keeps_emails_waiting", count=MAX_SLOW)
                return True
            progress = Progress(self._doubts)
            thread = _DrainThread(seconds_left, self._lanes, self._job, self.slow_domains(), progress)
            self._threads.append(thread)
            thread.start()
            try:
                while thread.is_alive() and thread.progress.seconds_waited() < self._patience and not is_stopping():
                    thread.join(_CHECK_EVERY_SECONDS)
            finally:  # even if an error or a signal ends this process
                is_left_behind = thread.is_alive()
                if is_left_behind:
                    thread.progress.stop_after_present_email()
            if not is_left_behind:
                return thread.has_sent_all() or self._doubts.is_paused()
        return False

    def paused_until(self) -> float:
        """Return when the present or last pause of this process ends or ended, by the monotonic clock."""
        return self._doubts.until

    def is_full(self) -> bool:
        """Return True if too many emails of this process wait for the mail server."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return len(self._threads) >= MAX_SLOW

    def slow_domains(self) -> frozenset[str]:
        """Return the domains for which too many emails of this process wait for the mail server."""
        waiting_count_by_domain = Counter(
            thread.progress.domain
            for thread in self._threads
            if thread.is_alive() and thread.progress.seconds_waited() > SLOW
        )
        return frozenset(domain for domain, count in waiting_count_by_domain.items() if count >= MAX_SLOW_PER_DOMAIN)

    def finish(self) -> None:
        """Wait for the answers to the emails of the threads that were left behind.

        If the process is killed meanwhile, these emails are in doubt, and are sent again when their lease ends.
        """
        deadline = time.monotonic() + settings.EMAIL_DATA_TIMEOUT + settings.EMAIL_TIMEOUT
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0))


class _DrainThread(threading.Thread):
    """One drain in a thread, with a separate database connection."""

    def __init__(self, seconds: float, lanes: str, job: str, avoid: frozenset[str], progress: Progress) -> None:
        super().__init__(name=f"drain-{lanes}", daemon=True)
        self.progress = progress
        self._seconds = seconds
        self._lanes = lanes
        self._job = job
        self._avoid = avoid
        self._has_sent_all = False
        self._error: Exception | None = None

    def run(self) -> None:
        """Drain, then close the database connection of this thread."""
        try:
            with acting(job=self._job):
                result = drain(
                    seconds=self._seconds, lanes=self._lanes, avoided_domains=self._avoid, progress=self.progress
                )
            self._has_sent_all = result.is_queue_empty
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for it
            self._error = error
            if self.progress.is_last:  # the thread was left behind, so no other thread will look at the error
                log.error("slow_drain_failed", kind=type(error).__name__)
        finally:
            connections.close_all()

    def has_sent_all(self) -> bool:
        """Return True if no due email was left. Raises the error that the drain has raised."""
        if self._error is not None:
            raise self._error
        return self._has_sent_all
