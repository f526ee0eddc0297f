"""Noting what becomes of each task of the workers, for `/metrics`, and telling the operators of those that fail."""

from __future__ import annotations

import time
import traceback
from typing import Any

import structlog
from celery.signals import task_failure, task_postrun, task_prerun
from django.db import Error, connection

from partnerships.kit.operators import alert_operators

log = structlog.get_logger(__name__)

#: When each task under way in this process began, by its id.
_began: dict[str, float] = {}


@task_prerun.connect
def _note_begin(task_id: str, **kwargs: object) -> None:
    _began[task_id] = time.monotonic()


@task_postrun.connect
def _note_end(task_id: str, task: Any, state: str | None = None, **kwargs: object) -> None:
    seconds = time.monotonic() - _began.pop(task_id, time.monotonic())
    try:
        note_job(task.name, seconds=seconds, failed=state != "SUCCESS")
    except Error as error:
        log.warning("job_not_noted", job=task.name, kind=type(error).__name__)


@task_failure.connect
def _tell_of_failure(sender: Any, exception: BaseException, task_id: str, **kwargs: object) -> None:
    words = "".join(traceback.format_exception(exception))
    alert_operators(f"{sender.name} failed: {type(exception).__name__}", f"Task {task_id} failed.\n\n{words}")


def note_job(name: str, *, seconds: float, failed: bool) -> None:
    """Add one run to a task's row; one statement, which may come from many workers at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO housing_job AS job (name, runs, failures, seconds, ended_at, succeeded_at)"
            " VALUES (%s, 1, %s, %s, clock_timestamp(), CASE WHEN %s THEN NULL ELSE clock_timestamp() END)"
            " ON CONFLICT (name) DO UPDATE SET runs = job.runs + 1, failures = job.failures + EXCLUDED.failures,"
            " seconds = job.seconds + EXCLUDED.seconds, ended_at = EXCLUDED.ended_at,"
            " succeeded_at = COALESCE(EXCLUDED.succeeded_at, job.succeeded_at)",
            [name, int(failed), seconds, failed],
        )
