"""Run functions at the same moment, to test that services lock the rows that they change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def run_at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Run functions at the same moment, each in a thread with a database connection of its own.

    Return what each function returned, or the exception that it raised, in the order of the functions.
    """
    start = threading.Barrier(len(functions), timeout=60)
    outcomes: list[Any] = [None] * len(functions)

    def run(position: int, function: Callable[[], Any]) -> None:
        try:
            start.wait()
            outcomes[position] = function()
        except Exception as error:  # noqa: BLE001 - the tests examine any exception
            outcomes[position] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=arguments) for arguments in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "A function has not returned within two minutes."
    return outcomes
