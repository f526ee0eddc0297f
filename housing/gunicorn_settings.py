"""Settings of gunicorn, used as `gunicorn housing.wsgi --config python:housing.gunicorn_settings …`."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from typing import Any

from housing.masking_logger import MaskingLogger

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

#: The folder in which web processes share their metrics, so that /metrics shows the sum whichever process answers. If
#: the environment names a folder, that folder must exist and be empty, and this is None.
_OWN_FOLDER = None
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    _OWN_FOLDER = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="cg-metrics-")

# These imports come after PROMETHEUS_MULTIPROC_DIR is set, because the package reads it on import.
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

logger_class = MaskingLogger

#: The application is loaded once, before the workers are forked, so that they share its memory.
preload_app = True


def when_ready(server: Any) -> None:
    """Exclude all loaded objects from garbage collection in the workers.

    Without this, collecting garbage would copy the shared memory into each worker.
    """
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Mark a worker as dead, which keeps its counters in the metrics and drops its gauges."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # it has no types


def on_exit(server: Any) -> None:
    """Delete the folder that this module created."""
    if _OWN_FOLDER:
        shutil.rmtree(_OWN_FOLDER, ignore_errors=True)
