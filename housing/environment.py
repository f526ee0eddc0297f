"""Where settings come from: the process's environment first, then `.env`, then what `make run` has embedded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("COMMON_GROUND_VAR") or BASE_DIR / "var")

# Keys that only make sense together: a database of one's own must never meet the embedded one's owner.
TOGETHER = (
    ("DATABASE_URL", "DATABASE_WORKER_URL", "DATABASE_OWNER_URL"),
    ("REDIS_URL",),
    ("EMAIL_URL",),
    ("SECRET_KEY",),
    ("SITE_ORIGIN",),
)

# Commands that change tables, which the application's own database role may not.
OWNER_COMMANDS = frozenset({"migrate", "createcachetable", "flush", "dbshell", "test", "pgtrigger"})


# Django's own minimum for a secret key.
SHORTEST_KEY = 50

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)")


def read_file(path: Path) -> dict[str, str]:
    """The settings in a file of KEY=value lines; empty where there is no file.

    Quotes around a value and a comment after it are not part of it. `a#b` contains no comment.
    """
    if not path.is_file():
        return {}
    pairs = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := _LINE.match(line):
            pairs[found[1]] = _value(found[2])
    return pairs


def _value(text: str) -> str:
    text = text.strip()
    if text[:1] in {"'", '"'} and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].rstrip()


def secret_keys(name: str) -> list[str]:
    """The keys in a variable, separated by commas, read as they stand: one may start with `$`."""
    return [key for key in os.environ.get(name, "").split(",") if key]


def key_faults(keys: Mapping[str, Sequence[str]]) -> list[str]:
    """One sentence for each key, by the name of its setting, that must not be used; never the key itself."""
    return [f"{name} {fault}." for name, values in keys.items() for value in values if (fault := _key_fault(value))]


def _key_fault(key: str) -> str:
    if key.startswith("#"):
        return "starts with #: it looks like a comment"
    if any(character.isspace() for character in key):
        return "contains blanks: it may contain a comment"
    if len(key) < SHORTEST_KEY:
        return f"is shorter than {SHORTEST_KEY} characters"
    return ""


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


def database_role(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """The role that a command of manage.py connects as; what the environment chose is kept, except by the owner's."""
    command = argv[1] if len(argv) > 1 else ""
    if command in OWNER_COMMANDS:
        return "owner"
    return environ.get("DATABASE_ROLE") or ("web" if command == "runserver" else "worker")
