"""A worker that sends letters reads nothing that only pages, papers or terminals need: docs/decisions/0020."""

from __future__ import annotations

import subprocess
import sys

# What a worker has read when its processes part.
_LOOK = """
import sys
from housing.worker import make_worker
make_worker()
print(" ".join(sys.modules))
"""

HEAVY = {
    *("PIL", "networkx", "numpy", "openpyxl", "weasyprint"),  # papers, workbooks, pictures
    *("fido2", "cryptography.hazmat"),  # second factors
    "prometheus_client",  # figures, which web processes give
    *("css_inline", "markdown_it", "nh3"),  # letters as they are written, and texts of plans
    *("celery.bin", "click_repl", "prompt_toolkit"),  # Celery's own terminal
}


def test_heavy_packages_are_read_neither_with_the_tasks_nor_with_the_addresses() -> None:
    look = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)

    read = set(look.stdout.split())

    assert {"partnerships.digests.tasks", "partnerships.plans.views", "allauth.account.views"} <= read
    assert read & HEAVY == set()
