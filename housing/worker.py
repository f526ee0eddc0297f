"""A Celery worker: `python -m housing.worker`. WORKER_CONCURRENCY says how many processes it has.

Not by Celery's command line, whose interactive shell (prompt_toolkit) each of its processes would hold: 8 MB.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from celery.utils.nodenames import gethostname, nodename
from django.conf import settings
from django.urls import reverse

from housing.celery import app


def make_worker() -> Any:
    """A worker that has read what its processes share before they part: the tasks, and the addresses for letters."""
    # The checks read what only pages need; they are run by `make check`, `migrate` and each deployment.
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    worker = app.Worker(
        # Several on one machine must not share a name.
        hostname=nodename(f"worker{os.getpid()}", gethostname()),
        concurrency=settings.WORKER_CONCURRENCY,
        loglevel=settings.LOG_LEVEL,
        # What workers tell each other nobody here asks for.
        without_gossip=True,
        without_mingle=True,
    )
    reverse("health_live")
    return worker


def main() -> int:
    """Work until a signal ends it."""
    os.environ.setdefault("DATABASE_ROLE", "worker")
    worker = make_worker()
    worker.start()
    return worker.exitcode or 0


if __name__ == "__main__":
    sys.exit(main())
