"""Count each run of a Celery task for `/metrics`, and alert operators to failures."""

from __future__ import annotations

import time
import traceback
from typing import Any

import structlog
from celery.signals import task_failure, task_postrun, task_prerun
from django.db import Error, connection

from housing.error_reports import report_error
from partnerships.kit.operators import alert_operators

log = structlog.get_logger(__name__)

#: The start times (`time.monotonic`) of this process's running tasks, by task id.
_started: dict[str, float] = {}


@task_prerun.connect
def _record_start(task_id: str, **kwargs: object) -> None:
    _started[task_id] = time.monotonic()


@task_postrun.connect
def _record_end(task_id: str, task: Any, state: str | None = None, **kwargs: object) -> None:
    """Add the run to the totals of its task."""
    seconds = time.monotonic() - _started.pop(task_id, time.monotonic())
    try:
        record_job(task.name, seconds=seconds, failed=state != "SUCCESS")
    except Error as error:
        log.warning("job_not_recorded", job=task.name, kind=type(error).__name__)


@task_failure.connect
def _alert_about_failure(sender: Any, exception: BaseException, task_id: str, **kwargs: object) -> None:
    """Report the failure of a task, and alert operators."""
    report_error(exception, job=sender.name, task_id=task_id)
    lines = "".join(traceback.format_exception(exception))
    alert_operators(f"{sender.name} failed: {type(exception).__name__}", f"Task {task_id} failed.\n\n{lines}")


def record_job(name: str, *, seconds: float, failed: bool) -> None:
    """Add a run to the totals of a task. Several workers may do this at once."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_RUN, {"name": name, "failures": int(failed), "seconds": seconds, "failed": failed})


_ADD_RUN = """
INSERT INTO housing_job AS job (name, runs, failures, seconds, ended_at, succeeded_at)
VALUES (
    %(name)s, 1, %(failures)s, %(seconds)s, clock_timestamp(),
    CASE WHEN %(failed)s THEN NULL ELSE clock_timestamp() END
)
ON CONFLICT (name) DO UPDATE SET
    runs = job.runs + 1,
    failures = job.failures + EXCLUDED.failures,
    seconds = job.seconds + EXCLUDED.seconds,
    ended_at = EXCLUDED.ended_at,
    succeeded_at = COALESCE(EXCLUDED.succeeded_at, job.succeeded_at)
"""
