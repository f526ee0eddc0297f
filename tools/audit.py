"""`make audit`: looks up known vulnerabilities of the pinned packages.

A vulnerability fails the command. A package index that does not answer in time does not, and the last line says so.
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
    """Return a line for each vulnerability, with the package, its version, the advisory and the fixed versions."""
    return [
        f"{package['name']} {package['version']}: {one['id']}, fixed in {', '.join(one['fix_versions']) or 'none yet'}"
        for package in report["dependencies"]
        for one in package.get("vulns", [])
    ]


def audit(command: Sequence[str] = COMMAND, *, seconds: float = SECONDS) -> list[str] | None:
    """Return a line for each vulnerability, or None if the index did not answer in time."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        arguments = [*command, "--format", "json", "--output", str(report), "--progress-spinner", "off"]
        try:
            subprocess.run(arguments, cwd=BASE_DIR, capture_output=True, check=False, timeout=seconds)
            return found_in(json.loads(report.read_text(encoding="utf-8")))
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return None


def main() -> int:
    """Look vulnerabilities up, print them, and return the exit code."""
    findings = audit(seconds=float(os.environ.get("AUDIT_SECONDS", SECONDS)))
    for line in findings or []:
        print(f"  {line}")  # noqa: T201 - a terminal program
    verdict = (
        "No answer from the package index in time. Try again later."
        if findings is None
        else f"{len(findings)} known vulnerabilities."
        if findings
        else "No known vulnerabilities."
    )
    print(f"  {verdict}", flush=True)  # noqa: T201 - a terminal program
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
