"""Where settings come from: the process's environment first, then `.env`, then what `make run` has embedded."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("COMMON_GROUND_VAR") or BASE_DIR / "var")

# Keys that only make sense together: a database of one's own must never meet the embedded one's owner.
TOGETHER = (
    ("DATABASE_URL", "DATABASE_OWNER_URL"),
    ("REDIS_URL",),
    ("EMAIL_URL",),
    ("SECRET_KEY",),
    ("SITE_ORIGIN",),
)

# Commands that change tables, which the application's own database role may not.
OWNER_COMMANDS = frozenset({"migrate", "createcachetable", "flush", "dbshell", "test", "pgtrigger"})


def read_file(path: Path) -> dict[str, str]:
    """The KEY=value lines of a file, or nothing where there is no such file; quotes around a value are dropped."""
    if not path.is_file():
        return {}
    pairs = {}
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if not line or line.startswith("#") or "=" not in line:
            continue
        key, _, value = line.removeprefix("export ").partition("=")
        pairs[key.strip()] = value.strip().strip("'\"")
    return pairs


def load(environ: MutableMapping[str, str], *, base_dir: Path = BASE_DIR, var_dir: Path = VAR_DIR) -> None:
    """Fill what the environment leaves unset, group by group, from `.env` and from the embedded parts now running."""
    for key, value in read_file(base_dir / ".env").items():
        environ.setdefault(key, value)
    embedded = read_file(var_dir / "embedded.env")
    for group in TOGETHER:
        if any(key in environ for key in group):
            continue
        for key in group:
            if key in embedded:
                environ[key] = embedded[key]
        if "DATABASE_URL" in group and "DEMONSTRATION" in embedded:
            # What may be tried on the embedded database may not be tried on another.
            environ.setdefault("DEMONSTRATION", embedded["DEMONSTRATION"])


def acts_as_owner(argv: Sequence[str]) -> bool:
    """Whether this command line must run as the owner of the tables rather than as the application."""
    return len(argv) > 1 and argv[1] in OWNER_COMMANDS
