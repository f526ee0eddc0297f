"""The worker's first process counts a run if the process of the run is killed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from celery.exceptions import TimeLimitExceeded, WorkerLostError
from celery.utils.imports import symbol_by_name
from celery.worker import state
from django.core.mail import EmailMessage
from kombu.message import Message

from housing import lost_jobs
from housing.celery import app
from housing.models import Job
from partnerships.kit import operators
from partnerships.kit.operators import wait_for_alerts

pytestmark = pytest.mark.django_db


@app.task(name="tests.is_killed")
def is_killed() -> None:
    return None


@pytest.fixture(autouse=True)
def with_operators(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set an operator, and forget earlier alerts of this process."""
    settings.ADMINS = [("Operators", "operators@ground.example")]
    monkeypatch.setattr(operators, "_sent_here", {})
    monkeypatch.setattr(lost_jobs, "close_old_connections", lambda: None)  # the test's connection stays open


def kill_run(error: Exception, *, seconds: float = 0) -> None:
    """Do what Celery's pool does in the worker's first process when a run's process was killed after this time."""
    task_message = app.amqp.as_task_v2("a-task-id", "tests.is_killed")
    message = Message(body=task_message.body, headers=task_message.headers, properties=task_message.properties)
    request = symbol_by_name(is_killed.Request)(
        message, app=app, body=task_message.body, decoded=True, on_reject=_put_back
    )
    request.time_start = time.time() - seconds
    try:
        raise error
    except type(error):
        request.on_failure(ExceptionInfo())


def _put_back(*arguments: Any) -> None:
    """Do nothing instead of the broker, which would get the message back."""


def test_a_run_that_exceeds_its_time_limit_counts_as_failed() -> None:
    kill_run(TimeLimitExceeded(300), seconds=300)

    job = Job.objects.get(name="tests.is_killed")
    assert job.runs == 1
    assert job.failures == 1
    assert job.succeeded_at is None
    assert 300 <= job.seconds < 330


def test_a_run_that_is_killed_counts_as_failed_and_is_alerted(mailoutbox: list[EmailMessage]) -> None:
    kill_run(WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL)."))

    wait_for_alerts(seconds=60)
    assert Job.objects.get(name="tests.is_killed").failures == 1
    assert [email.subject for email in mailoutbox] == ["[Common Ground] tests.is_killed failed: WorkerLostError"]


def test_runs_that_end_with_their_worker_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "should_terminate", True)

    kill_run(WorkerLostError("Worker exited prematurely: signal 15 (SIGTERM)."))

    assert not Job.objects.filter(name="tests.is_killed").exists()


def test_an_error_that_the_runs_own_process_counted_is_not_counted_again() -> None:
    kill_run(ValueError("no"))

    assert not Job.objects.filter(name="tests.is_killed").exists()
