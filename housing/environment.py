"""Where settings come from.

First the environment, then `.env`, then the services that `make run` started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("COMMON_GROUND_VAR") or BASE_DIR / "var")

# Settings that come from one source: your own database must never be used with the embedded owner's address.
GROUPS = (
    ("DATABASE_URL", "DATABASE_WORKER_URL", "DATABASE_OWNER_URL"),
    ("REDIS_URL",),
    ("EMAIL_URL",),
    ("SECRET_KEY",),
    ("SITE_ORIGIN",),
)

# Commands that need the owner of the tables.
OWNER_COMMANDS = frozenset(
    {
        *("migrate", "createcachetable", "flush", "dbshell", "test", "pgtrigger"),
        *("backup", "restore", "backup_drill", "upgrade"),
    }
)

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)")


def read_file(path: Path) -> dict[str, str]:
    """The settings in a file of KEY=value lines.

    Empty if the file does not exist.

    Strips quotes around a value and a comment after it. `a#b` contains no comment.
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


def add_file(environ: MutableMapping[str, str], path: Path) -> None:
    """Add the settings of a file that are not set.

    A secret counts as set if the name of its file is.
    """
    given = set(environ)
    for key, value in read_file(path).items():
        if not {key, key.removesuffix("_FILE"), f"{key}_FILE"} & given:
            environ[key] = value


def read_secret_files(environ: MutableMapping[str, str], secrets: Iterable[str]) -> None:
    """Set each secret whose NAME_FILE names a file, from that file.

    A line break at its end is left out.

    NAME_FILE is removed, because processes started from here get the value itself. Raises `ImproperlyConfigured`
    for a file that cannot be read, and if both are set.
    """
    for name in secrets:
        path = environ.get(f"{name}_FILE")
        if not path:
            continue
        if environ.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: remove one.")
        try:
            environ[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ImproperlyConfigured(
                f"{name}_FILE names {path}, which cannot be read ({why}). Put the secret there, readable by this "
                f"process, or set {name}."
            ) from None
        del environ[f"{name}_FILE"]


def load(
    environ: MutableMapping[str, str],
    *,
    secrets: Iterable[str] = (),
    base_dir: Path = BASE_DIR,
    var_dir: Path = VAR_DIR,
) -> None:
    """Set what is unset, group by group, from `.env`, files of `secrets`, and the running embedded services."""
    add_file(environ, base_dir / ".env")
    read_secret_files(environ, secrets)
    embedded = read_file(var_dir / "embedded.env")
    for group in GROUPS:
        if any(key in environ for key in group):
            continue
        for key in group:
            if key in embedded:
                environ[key] = embedded[key]
        if "DATABASE_URL" in group and "DEMONSTRATION" in embedded:
            # Only the embedded database is a demonstration by default.
            environ.setdefault("DEMONSTRATION", embedded["DEMONSTRATION"])


def database_role(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """The database role of a manage.py command: "owner", "web" or "worker".

    DATABASE_ROLE decides, except for commands that need the owner.
    """
    command = argv[1] if len(argv) > 1 else ""
    if command in OWNER_COMMANDS:
        return "owner"
    return environ.get("DATABASE_ROLE") or ("web" if command == "runserver" else "worker")
