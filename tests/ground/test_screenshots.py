"""`make screenshots` takes the README's pictures."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings


def test_screenshots_without_an_instance_say_what_to_start() -> None:
    result = subprocess.run(
        [sys.executable, "docs/screenshots.py"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "SITE_ORIGIN": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 1
    assert "start `make run` first" in result.stderr
