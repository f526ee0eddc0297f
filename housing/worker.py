"""A Celery worker: `python -m housing.worker`, with WORKER_CONCURRENCY processes.

It watches itself (housing/watching.py). The exit code is 75 if emails stall or its main thread hangs, and 78 if a
setting is wrong.

Celery's command line would import an interactive shell, 10 MB in each process:
docs/decisions/0020-heavy-packages-are-read-late.md.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

from celery.signals import worker_ready
from celery.utils.nodenames import gethostname, nodename
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from housing.celery import app
from housing.folders import require_folders
from housing.main_loop import TickStep, WatchedConsumer
from housing.notifying import EXIT_MISCONFIGURED, EXIT_STALLED, READY, notify


def make_worker() -> Any:
    """Return a worker that has imported all tasks and URLs, so that its processes share their memory."""
    require_folders()
    # System checks would import modules that only pages need. `make check`, `migrate` and each deployment run them.
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    app.steps["worker"].add(TickStep)
    worker = app.Worker(
        # Several workers on one machine need different names.
        hostname=nodename(f"worker{os.getpid()}", gethostname()),
        concurrency=settings.WORKER_CONCURRENCY,
        loglevel=settings.LOG_LEVEL,
        consumer_cls=WatchedConsumer,
        # We do not use the messages that workers send each other.
        without_gossip=True,
        without_mingle=True,
    )
    reverse("health_live")  # imports the URLs
    # Objects that live as long as the process are exempt from garbage collection, which would copy shared memory.
    gc.collect()
    gc.freeze()
    return worker


def main() -> int:
    """Work until a signal arrives. Returns the exit code."""
    os.environ.setdefault("DATABASE_ROLE", "worker")
    try:
        worker = make_worker()
    except ImproperlyConfigured as fault:
        sys.stderr.write(f"{fault}\n")
        return EXIT_MISCONFIGURED
    from housing.heartbeats import WORKER, forget, on_this_machine  # noqa: PLC0415 - needs Django to be set up
    from housing.watching import Watch  # noqa: PLC0415 - the same

    watch = Watch()
    worker_ready.connect(_notify_ready)
    watch.begin()
    worker.start()
    watch.end()
    if watch.has_stalled:
        return EXIT_STALLED
    forget(on_this_machine(WORKER))
    return worker.exitcode or 0


def _notify_ready(**kwargs: object) -> None:
    notify(READY)


if __name__ == "__main__":
    sys.exit(main())
