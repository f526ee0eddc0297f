"""Count the runs of tasks whose process was killed.

A process is killed by its time limit, by the kernel for its memory, or by hand, and can then no longer count its run.
The worker's main process notices that the process no longer exists. Only workers import this module, because it
imports Celery's worker.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery.exceptions import TimeLimitExceeded, WorkerLostError
from celery.worker import state
from celery.worker.request import Request
from django.db import Error, close_old_connections

from housing.error_reports import report_error
from housing.jobs import record_job
from partnerships.kit.operators import alert_operators

log = structlog.get_logger(__name__)


class WatchedRequest(Request):
    """A run of a task, as the worker's main process sees it."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """Handle the failure as usual, and count it if the process was killed and the worker is not stopping."""
        super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, WorkerLostError | TimeLimitExceeded) and not state.should_terminate:
            self._count()
            # Celery queues a lost run again without a message. Without this alert, nobody would learn that a task kills
            # its process each time.
            if isinstance(error, WorkerLostError):
                report_error(error, job=self.task.name, task_id=self.id)
                alert_operators(f"{self.task.name} failed: WorkerLostError", f"Task {self.id} was killed.\n\n{error}")

    def _count(self) -> None:
        """Count the run as a failed one."""
        started = self.time_start or time.time()
        try:
            close_old_connections()
            record_job(self.task.name, seconds=max(time.time() - started, 0), failed=True)
        except Error as error:
            log.warning("job_not_recorded", job=self.task.name, kind=type(error).__name__)
