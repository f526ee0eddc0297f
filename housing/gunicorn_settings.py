"""Settings of gunicorn.

`gunicorn housing.wsgi --config python:housing.gunicorn_settings …`.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from typing import Any

from housing.masking_logger import MaskingLogger

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

#: Where web processes share their metrics, so that /metrics shows the sum whichever process answers. A folder that the
#: environment names must exist and be empty.
_OWN_FOLDER = None
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    _OWN_FOLDER = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="cg-metrics-")

# Imported after PROMETHEUS_MULTIPROC_DIR is set, because the package reads it on import.
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

logger_class = MaskingLogger

#: Load the application once, before the workers are forked, so that they share its memory.
preload_app = True


def when_ready(server: Any) -> None:
    """Leave what is loaded to all workers.

    Collecting garbage among it would copy its memory to each.
    """
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Keep a dead process's counters and drop its gauges."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # it has no types


def on_exit(server: Any) -> None:
    """Delete the folder that this module created."""
    if _OWN_FOLDER:
        shutil.rmtree(_OWN_FOLDER, ignore_errors=True)
