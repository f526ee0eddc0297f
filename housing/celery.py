"""The Celery application: JSON only, late acknowledgement, bounded in time and connections, ticking in UTC."""

from __future__ import annotations

import os
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

# Celery's crontab is wrong on daylight-saving nights: tick by seconds, and let the rooms decide what is due.
SCHEDULE: dict[str, dict[str, Any]] = {
    "digests.sweep": {"task": "partnerships.digests.tasks.sweep", "schedule": 10.0, "options": {"expires": 30}},
    "outbox.sweep": {"task": "partnerships.outbox.tasks.sweep", "schedule": 10.0, "options": {"expires": 30}},
    "outbox.prepare_partitions": {
        "task": "partnerships.outbox.tasks.prepare_partitions",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
    "digests.regularly": {
        "task": "partnerships.digests.tasks.regularly",
        "schedule": 3600.0,
        "options": {"expires": 900},
    },
    "commitments.remind_owners": {
        "task": "partnerships.commitments.tasks.remind_owners",
        "schedule": 1800.0,
        "options": {"expires": 900},
    },
    "plans.remind_signatories": {
        "task": "partnerships.plans.tasks.remind_signatories",
        "schedule": 1800.0,
        "options": {"expires": 900},
    },
    "plans.release_signatories": {
        "task": "partnerships.plans.tasks.release_signatories",
        "schedule": 300.0,
        "options": {"expires": 250},
    },
    "plans.lift_embargoes": {
        "task": "partnerships.plans.tasks.lift_embargoes",
        "schedule": 60.0,
        "options": {"expires": 50},
    },
    "exchange.match_due_entries": {
        "task": "partnerships.exchange.tasks.match_due_entries",
        "schedule": 20.0,
        "options": {"expires": 60},
    },
    "exchange.close_due_entries": {
        "task": "partnerships.exchange.tasks.close_due_entries",
        "schedule": 1800.0,
        "options": {"expires": 900},
    },
    "people.apply_retention": {
        "task": "partnerships.people.tasks.apply_retention_now",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
    "agreements.start_due_reviews": {
        "task": "partnerships.agreements.tasks.start_due_reviews_now",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
}


class AccountedTask(Task):  # type: ignore[type-arg]  # generic in the stubs alone
    """Whatever a job changes says in row history which job it was."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the job, accounted for."""
        from partnerships.kit.accounting import acting  # noqa: PLC0415 - Django is set up by then

        with acting(job=self.name):
            return self.run(*args, **kwargs)


app = Celery("common_ground", task_cls=AccountedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    event_serializer="json",
    task_ignore_result=True,
    enable_utc=True,
    timezone="UTC",
    beat_schedule=SCHEDULE,
    # It notes a heartbeat at each tick, which comes this often at least.
    beat_scheduler="housing.beat:BeatingScheduler",
    beat_max_loop_interval=5,
    # A killed pool child acknowledges its task unless this is set; every task may run twice.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=400_000,
    # What is being sent is in the database, not in the broker: a drain is not killed because the broker went away.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_pool_limit=10,
    broker_transport_options={
        "visibility_timeout": 600,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "retry_on_timeout": True,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.2,
    },
    # Publishing must not wait for a broker that is away: the sweep finds what a lost nudge missed.
    task_publish_retry=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2},
)
app.autodiscover_tasks()


@task_prerun.connect
def _name_the_task_in_logs(task_id: str, task: Any, **kwargs: object) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name)


@task_postrun.connect
def _forget_the_task_in_logs(**kwargs: object) -> None:
    structlog.contextvars.clear_contextvars()
