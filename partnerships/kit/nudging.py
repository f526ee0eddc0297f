"""Start a worker's task after a commit, so that the change need not wait for the next periodic sweep."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)


def nudge_after_commit(send: Callable[[], object]) -> None:
    """Call `send`, which queues a task, after the commit. An error of the broker is logged and not raised."""

    def nudge() -> None:
        try:
            send()
        except Exception as error:  # noqa: BLE001 - the change is saved, and the sweep finds it
            log.warning("nudge_lost", kind=type(error).__name__)

    transaction.on_commit(nudge, robust=True)
