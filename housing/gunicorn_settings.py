"""What gunicorn is told: `gunicorn housing.wsgi --config python:housing.gunicorn_settings …`."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # it has no types

from partnerships.kit.masking import MaskingFormatter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")

#: Where web processes share their figures, so that /metrics shows them all whichever answers: a folder for this
#: server alone, unless the environment names one (which must be there, and empty at start).
_OWN_FOLDER = None
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    _OWN_FOLDER = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="cg-figures-")

# Read only now: how it keeps figures is decided when it is imported.
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402


class MaskingLogger(Logger):  # type: ignore[misc]  # it has no types
    """gunicorn's log lines may hold a request's address: masked like ours."""

    def setup(self, cfg: Any) -> None:
        """As ever, then every handler masks what it writes."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            plain = handler.formatter
            layout, dates = (plain._fmt, plain.datefmt) if plain else (self.error_fmt, self.datefmt)
            handler.setFormatter(MaskingFormatter(layout, dates))


logger_class = MaskingLogger


def child_exit(server: Any, worker: Any) -> None:
    """A process that ended counts in sums, and no longer in what is now."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # it has no types


def on_exit(server: Any) -> None:
    """Take our own folder along."""
    if _OWN_FOLDER:
        shutil.rmtree(_OWN_FOLDER, ignore_errors=True)
