"""Celery's clock with a heartbeat: a beat that hangs is found and restarted (housing/watchdog.py)."""

from __future__ import annotations

from typing import Any

import structlog
from celery.beat import Scheduler
from django.db import Error, close_old_connections, connections

from housing.heartbeats import BEAT, note_heartbeat

log = structlog.get_logger(__name__)


class BeatingScheduler(Scheduler):
    """Celery's own scheduler, without a file: what is due is decided from rows. It notes each tick."""

    def tick(self, *args: Any, **options: Any) -> Any:
        """Note the heartbeat, then send what is due. A database that is away stops no clock."""
        try:
            note_heartbeat(BEAT)
            close_old_connections()
        except Error as error:
            connections.close_all()
            log.warning("heartbeat_not_noted", kind=type(error).__name__)
        return super().tick(*args, **options)
