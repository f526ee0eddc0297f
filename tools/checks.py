"""`make check`: runs every check, even after a failure.

The last line names those that failed.

As many at once as there are processors: most of them use one.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

# Settings as in production (docs/deploy.md). Nothing connects to these addresses.
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "SITE_ORIGIN": "https://ground.example",
    "DATABASE_URL": "postgres://common_ground:x@database.example/common_ground",
    "DATABASE_WORKER_URL": "postgres://common_ground_worker:x@database.example/common_ground",
    "DATABASE_OWNER_URL": "postgres://common_ground_owner:x@database.example/common_ground",
    "REDIS_URL": "redis://broker.example:6379/0",
    "EMAIL_URL": "smtp+tls://user:x@mail.example:587",
}
DEVELOPMENT = {"DEBUG": "1", "SECRET_KEY": "only-for-checks", "DATABASE_URL": "postgres://nobody@localhost/nothing"}

#: Tags of ours that have an end tag are listed, so that the formatter can indent and wrap what they hold.
TEMPLATE_LAYOUT = ("--line-length", "120", "--indent-width", "2", "--custom-blocks", "draft_banner,empty_state,tabs")

#: The one that takes longest comes first, so that the others run beside it.
CHECKS: dict[str, tuple[list[str], dict[str, str]]] = {
    "types": (["mypy"], DEVELOPMENT),
    "style": (["ruff", "check", "."], {}),
    "layout": (["ruff", "format", "--check", "."], {}),
    "imports": (["lint-imports", "--no-logo"], {}),
    "templates": (["djlint", "--lint", "--quiet", "templates"], {}),
    "template style": (["djade", "--check", "--target-version", "5.2"], {}),
    "template layout": (["djangofmt", "--check", "--quiet", *TEMPLATE_LAYOUT, "templates"], {}),
    "glossary": (["-m", "tools.glossary"], {}),
    "line limits": (["-m", "tools.line_limits"], {}),
    "long lines": (["-m", "tools.long_lines"], {}),
    "documentation": (["-m", "tools.documentation", "--check"], {}),
    "settings": (["-m", "tools.settings_pages", "--check"], {}),
    "files": (["-m", "tools.file_pages", "--check"], {}),
    "migrations": (["manage.py", "makemigrations", "--check", "--dry-run"], DEVELOPMENT),
    "old code": (["-m", "tools.expand_contract"], DEVELOPMENT),
    "deployment": (["manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
    # DL3008 asks to pin Debian's packages. Debian keeps only the newest of each, so a pinned build would soon fail.
    "containerfile": (["hadolint", "--ignore", "DL3008", "docs/deploy/Containerfile"], {}),
    "packages": (["-m", "pip", "check"], {}),
}


def command(arguments: list[str]) -> list[str]:
    """Return the command line of a check: a program in .venv, or Python with a script or module."""
    first, *rest = arguments
    if first == "djade":
        return [str(BIN / first), *rest, *map(str, sorted((BASE_DIR / "templates").rglob("*.html")))]
    if first in {"manage.py", "-m"}:
        return [sys.executable, *arguments]
    return [str(BIN / first), *rest]


def passes(name: str) -> bool:
    """Run a check, and print its verdict with what it said if it failed."""
    arguments, environ = CHECKS[name]
    # The addresses of running services must not reach the checks.
    clean = {key: value for key, value in os.environ.items() if key not in PRODUCTION}
    began = time.monotonic()
    result = subprocess.run(
        command(arguments), cwd=BASE_DIR, env=clean | environ, capture_output=True, text=True, check=False
    )
    verdict = "ok" if result.returncode == 0 else "FAILED"
    output = result.stdout + result.stderr if result.returncode else ""
    print(f"  {name:<15} {verdict:<7} {time.monotonic() - began:5.1f} s\n{output}", end="", flush=True)  # noqa: T201 - a terminal program
    return result.returncode == 0


def main(wanted: list[str]) -> int:
    """Run all checks, or those named; returns how many failed."""
    names = [name for name in CHECKS if not wanted or name in wanted]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        passed = dict(zip(names, pool.map(passes, names), strict=True))
    failed = [name for name, is_fine in passed.items() if not is_fine]
    print(f"  {'All checks passed.' if not failed else 'Failed: ' + ', '.join(failed)}", flush=True)  # noqa: T201 - the same
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
