"""A worker that sends letters reads no package for papers, workbooks or pictures: docs/decisions/0020."""

from __future__ import annotations

import subprocess
import sys

_LOOK = """
import sys
import housing.celery, django
django.setup()
import housing.urls
print(" ".join(name for name in ("PIL", "networkx", "numpy", "openpyxl", "weasyprint") if name in sys.modules))
"""


def test_heavy_packages_are_not_read_with_the_addresses() -> None:
    read = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)

    assert read.stdout.split() == []
