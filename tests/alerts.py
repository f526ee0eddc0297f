"""Waiting for the emails to operators, which leave beside the work that caused them."""

from __future__ import annotations

import threading


def alerts() -> None:
    """Wait until every alert under way has been handed to the mail backend."""
    for thread in threading.enumerate():
        if thread.name == "alert":
            thread.join(timeout=10)
