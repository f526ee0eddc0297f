"""The Celery application and its schedule."""

from __future__ import annotations

import os
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

# Intervals are in seconds, because Celery's crontab is wrong when clocks change. Each task decides itself what is due.
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
    "digests.read_mailbox": {
        "task": "partnerships.digests.tasks.read_mailbox",
        "schedule": 60.0,
        "options": {"expires": 50},
    },
    "transfer.apply_waiting": {
        "task": "partnerships.transfer.tasks.apply_waiting",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "nominations.count_waiting": {
        "task": "partnerships.nominations.tasks.count_waiting",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "surveys.close_due": {
        "task": "partnerships.surveys.tasks.close_due",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "spreadsheets.work_on_waiting": {
        "task": "partnerships.spreadsheets.tasks.work_on_waiting",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "organisations.hand_over_due": {
        "task": "partnerships.organisations.tasks.hand_over_due",
        "schedule": 300.0,
        "options": {"expires": 300},
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
    "plans.escalate_signatories": {
        "task": "partnerships.plans.tasks.escalate_signatories",
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
    "search.index_stale": {
        "task": "partnerships.search.tasks.index_stale",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "search.queue_the_day": {
        "task": "partnerships.search.tasks.queue_the_day",
        "schedule": 21_600.0,
        "options": {"expires": 3600},
    },
    "search.prune_words": {
        "task": "partnerships.search.tasks.prune_words",
        "schedule": 21_600.0,
        "options": {"expires": 3600},
    },
    "search.read_files": {
        "task": "partnerships.search.tasks.read_files",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "people.write_journal": {
        "task": "partnerships.people.tasks.write_journal",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "people.apply_retention": {
        "task": "partnerships.people.tasks.apply_retention_now",
        "schedule": 3600.0,
        "options": {"expires": 1800},
    },
    "agreements.act_on_terms": {
        "task": "partnerships.agreements.tasks.act_on_terms",
        "schedule": 900.0,
        "options": {"expires": 600},
    },
    "agreements.act_on_dates": {
        "task": "partnerships.agreements.tasks.act_on_dates",
        "schedule": 900.0,
        "options": {"expires": 600},
    },
    "lists.make_files": {
        "task": "partnerships.lists.tasks.make_files",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "lists.check_followed_views": {
        "task": "partnerships.lists.tasks.check_followed_views",
        "schedule": 600.0,
        "options": {"expires": 300},
    },
    "reports.make_files": {
        "task": "partnerships.reports.tasks.make_files",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "reports.send_due_reports": {
        "task": "partnerships.reports.tasks.send_due_reports",
        "schedule": 900.0,
        "options": {"expires": 600},
    },
    "conversations.keep_reports": {
        "task": "partnerships.conversations.tasks.keep_reports",
        "schedule": 1800.0,
        "options": {"expires": 900},
    },
}


class AccountedTask(Task):  # type: ignore[type-arg]  # generic only in the stubs
    """A task whose changes name it in row history, and whose runs are counted even if their process is killed."""

    abstract = True
    Request = "housing.lost_jobs:WatchedRequest"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task with its name in the context of row history."""
        from partnerships.kit.accounting import acting  # noqa: PLC0415 - needs Django to be set up

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
    # Our scheduler records a heartbeat at each tick. The interval is the longest time between two ticks, in seconds.
    beat_scheduler="housing.beat:BeatingScheduler",
    beat_max_loop_interval=5,
    # With these two settings, the task of a killed process runs again. So every task must be safe to run twice.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=400_000,
    # Emails being sent are recorded in the database, so losing the broker need not stop them.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    # We do not use remote control. It needs a subscription, which kombu reads without a time limit.
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_pool_limit=10,
    # A request must not wait for a broker that does not answer. If a message is lost, the sweeps find its work.
    task_publish_retry=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2},
)
app.autodiscover_tasks()


@task_prerun.connect
def _add_task_to_logs(task_id: str, task: Any, **kwargs: object) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task_id=task_id, task=task.name)


@task_postrun.connect
def _remove_task_from_logs(**kwargs: object) -> None:
    structlog.contextvars.clear_contextvars()
