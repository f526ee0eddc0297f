"""Run every check for `make check`, even after one fails.

The last line of the output names the checks that failed. There are as many checks at the same time as processors,
because most checks use only one.
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

#: Our tags that have an end tag are listed, so that the formatter can indent and wrap the lines between them.
TEMPLATE_LAYOUT = ("--line-length", "120", "--indent-width", "2", "--custom-blocks", "draft_banner,empty_state,tabs")

#: The check that takes longest is first, so that the others run at the same time.
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
    """Return the command line of a check, which runs a program in .venv, a script or a module."""
    first, *rest = arguments
    if first == "djade":
        return [str(BIN / first), *rest, *map(str, sorted((BASE_DIR / "templates").rglob("*.html")))]
    if first in {"manage.py", "-m"}:
        return [sys.executable, *arguments]
    return [str(BIN / first), *rest]


def passes(name: str) -> bool:
    """Run a check, print its verdict, and print its output if it failed. Returns whether it passed."""
    arguments, environ = CHECKS[name]
    # Checks must not connect to services that are running.
    environ_without_services = {key: value for key, value in os.environ.items() if key not in PRODUCTION}
    started_at = time.monotonic()
    result = subprocess.run(
        command(arguments),
        cwd=BASE_DIR,
        env=environ_without_services | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = "ok" if result.returncode == 0 else "FAILED"
    output = result.stdout + result.stderr if result.returncode else ""
    print(f"  {name:<15} {verdict:<7} {time.monotonic() - started_at:5.1f} s\n{output}", end="", flush=True)  # noqa: T201 - a terminal program
    return result.returncode == 0


def main(chosen_names: list[str]) -> int:
    """Run the checks with these names, or all checks without names, and return how many failed."""
    names = [name for name in CHECKS if not chosen_names or name in chosen_names]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        has_passed = dict(zip(names, pool.map(passes, names), strict=True))
    failed_names = [name for name in names if not has_passed[name]]
    print(f"  {'All checks passed.' if not failed_names else 'Failed: ' + ', '.join(failed_names)}", flush=True)  # noqa: T201 - the same
    return len(failed_names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
