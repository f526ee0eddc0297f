"""Waking a worker after a commit; a sweep finds what a lost nudge missed."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)


def nudge_after_commit(send: Callable[[], object]) -> None:
    """Call `send` after the commit.

    Whatever is wrong with the broker is logged and stops nothing.
    """

    def nudge() -> None:
        try:
            send()
        except Exception as error:  # noqa: BLE001 - the change is saved, and the sweep finds it
            log.warning("nudge_lost", kind=type(error).__name__)

    transaction.on_commit(nudge, robust=True)
