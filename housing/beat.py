"""Celery beat with a heartbeat, which shows systemd, workers and metrics whether it hangs."""

from __future__ import annotations

from typing import Any

import structlog
from celery.beat import Scheduler
from django.db import Error, close_old_connections, connections

from housing.heartbeats import BEAT, forget, on_this_machine, record_heartbeat
from housing.notifying import ALIVE, READY, notify

log = structlog.get_logger(__name__)


class BeatingScheduler(Scheduler):
    """Celery's scheduler, which records each tick.

    It stores its state only in memory. So it may send a task early after a restart, and each task decides itself what
    is due.
    """

    def tick(self, *args: Any, **options: Any) -> Any:
        """Record the heartbeat, then send due tasks. An outage of the database does not stop beat."""
        try:
            record_heartbeat(BEAT, on_this_machine(BEAT))
            close_old_connections()
        except Error as error:
            connections.close_all()
            log.warning("heartbeat_not_recorded", kind=type(error).__name__)
        notify(f"{READY}\n{ALIVE}")
        return super().tick(*args, **options)

    def close(self) -> None:
        """Stop, and delete this machine's heartbeat, so that nobody is alerted about it."""
        super().close()
        forget(on_this_machine(BEAT))
