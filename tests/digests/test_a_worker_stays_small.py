"""Workers do not import packages that only pages, PDFs or terminals need (docs/decisions/0020)."""

from __future__ import annotations

import subprocess
import sys

# Prints the modules that a worker has imported before it forks.
_PROGRAM = """
import sys
from housing.worker import make_worker
make_worker()
print(" ".join(sys.modules))
"""

#: Packages that a worker must not import before it forks.
HEAVY = {
    *("PIL", "networkx", "numpy", "python_calamine", "weasyprint"),  # PDFs, workbooks, pictures
    *("fido2", "cryptography.hazmat"),  # second factors
    "prometheus_client",  # metrics, which web processes serve
    "sentry_sdk",  # reports of errors, if there is one
    *("css_inline", "markdown_it", "nh3"),  # composing emails and texts of plans
    *("celery.bin", "click_repl", "prompt_toolkit"),  # Celery's command line
}


def test_tasks_and_urls_import_no_heavy_packages() -> None:
    process = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)

    imported = set(process.stdout.split())

    assert {"partnerships.digests.tasks", "partnerships.plans.views", "allauth.account.views"} <= imported
    assert imported & HEAVY == set()
