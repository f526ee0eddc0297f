"""Read settings from the environment, then from `.env`, then from the services that `make run` started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("COMMON_GROUND_VAR") or BASE_DIR / "var")

#: Groups of settings that must all be from one source. For example, the embedded owner's URL must never be used with
#: your own database.
GROUPS = (
    ("DATABASE_URL", "DATABASE_WORKER_URL", "DATABASE_OWNER_URL"),
    ("REDIS_URL",),
    ("EMAIL_URL",),
    ("SECRET_KEY",),
    ("SITE_ORIGIN",),
)

#: Commands that connect as the owner of the tables.
OWNER_COMMANDS = frozenset(
    {
        *("migrate", "createcachetable", "flush", "dbshell", "test", "pgtrigger"),
        *("backup", "restore", "backup_drill", "upgrade"),
    }
)

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)")


def read_file(path: Path) -> dict[str, str]:
    """Return the settings in a file of KEY=value lines, or no settings if the file does not exist.

    Quotes around a value and a comment after it are removed. `a#b` has no comment, because there is no space before #.
    """
    if not path.is_file():
        return {}
    values_by_key = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _LINE.match(line):
            values_by_key[match[1]] = _value(match[2])
    return values_by_key


def _value(text: str) -> str:
    """Return the value of a line, without quotes, comment and spaces around it."""
    text = text.strip()
    if text[:1] in {"'", '"'} and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].rstrip()


def add_file(environ: MutableMapping[str, str], path: Path) -> None:
    """Add the settings of a file that are not set yet. A secret is set if NAME or NAME_FILE is set."""
    keys_before = set(environ)
    for key, value in read_file(path).items():
        if keys_before.isdisjoint({key, key.removesuffix("_FILE"), f"{key}_FILE"}):
            environ[key] = value


def read_secret_files(environ: MutableMapping[str, str], secrets: Iterable[str]) -> None:
    """Read each secret for which NAME_FILE is set from that file, without a line break at the end.

    NAME is set to the secret. NAME_FILE is removed, because processes started from here get the value itself. Raises
    `ImproperlyConfigured` if the file cannot be read, or if NAME is set as well.
    """
    for name in secrets:
        path = environ.get(f"{name}_FILE")
        if not path:
            continue
        if environ.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set, so remove one.")
        try:
            environ[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ImproperlyConfigured(
                f"{name}_FILE names {path}, which cannot be read ({reason}). Put the secret in a file that this "
                f"process can read, or set {name}."
            ) from None
        del environ[f"{name}_FILE"]


def load(
    environ: MutableMapping[str, str],
    *,
    secrets: Iterable[str] = (),
    base_dir: Path = BASE_DIR,
    var_dir: Path = VAR_DIR,
) -> None:
    """Add missing settings from `.env`, from the files of `secrets`, and from the running embedded services."""
    add_file(environ, base_dir / ".env")
    read_secret_files(environ, secrets)
    embedded_settings = read_file(var_dir / "embedded.env")
    for group in GROUPS:
        if any(key in environ for key in group):
            continue
        for key in group:
            if key in embedded_settings:
                environ[key] = embedded_settings[key]
        if "DATABASE_URL" in group and "DEMONSTRATION" in embedded_settings:
            # DEMONSTRATION is on by default for the embedded database, never for another one.
            environ.setdefault("DEMONSTRATION", embedded_settings["DEMONSTRATION"])


def database_role(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the database role of a manage.py command: "owner", "web" or "worker".

    DATABASE_ROLE decides, except for commands that need the owner.
    """
    command = argv[1] if len(argv) > 1 else ""
    if command in OWNER_COMMANDS:
        return "owner"
    return environ.get("DATABASE_ROLE") or ("web" if command == "runserver" else "worker")
