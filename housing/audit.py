"""What `make audit` runs: known vulnerabilities of the pinned packages, where the package index can be asked in time.

A finding fails. An index that is away, or slow, does not: the last line says that nothing could be looked up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "-r", "requirements.txt")
SECONDS = 120.0


def found_in(report: dict[str, Any]) -> list[str]:
    """Each vulnerability of a report as a line: the package, its version, the advisory, and what mends it."""
    return [
        f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'none'}"
        for package in report["dependencies"]
        for one in package.get("vulns", [])
    ]


def audit(command: Sequence[str] = COMMAND, *, seconds: float = SECONDS) -> list[str] | None:
    """The vulnerabilities that were found; None where nothing could be looked up."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [*command, "--format", "json", "--output", str(report), "--progress-spinner", "off"]
        try:
            subprocess.run(words, cwd=BASE_DIR, capture_output=True, check=False, timeout=seconds)
            return found_in(json.loads(report.read_text(encoding="utf-8")))
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return None


def main() -> int:
    """Look them up and say so."""
    found = audit(seconds=float(os.environ.get("AUDIT_SECONDS", SECONDS)))
    for line in found or []:
        print(f"  {line}")  # noqa: T201 - a terminal program
    verdict = (
        "Nothing could be looked up: the package index did not answer in time. Try again later."
        if found is None
        else f"{len(found)} known vulnerabilities."
        if found
        else "No known vulnerabilities."
    )
    print(f"  {verdict}", flush=True)  # noqa: T201 - a terminal program
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
