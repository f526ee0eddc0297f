"""Where settings come from: first the environment, then `.env`, then the services that `make run` started."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping, Sequence
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

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
OWNER_COMMANDS = frozenset({"migrate", "createcachetable", "flush", "dbshell", "test", "pgtrigger"})


# Django's own minimum for a secret key.
MIN_KEY_LENGTH = 50

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)")


def read_file(path: Path) -> dict[str, str]:
    """The settings in a file of KEY=value lines; empty if the file does not exist.

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


def secret_keys(name: str) -> list[str]:
    """The keys in a comma-separated variable; unlike with environ, a key may start with `$`."""
    return [key for key in os.environ.get(name, "").split(",") if key]


def key_faults(keys: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each weak key, naming its setting and never the key itself."""
    return [f"{name} {fault}." for name, values in keys.items() for value in values if (fault := _key_fault(value))]


def require_strong_keys(keys: Mapping[str, Sequence[str]]) -> None:
    """Raise `ImproperlyConfigured` for weak keys, by the name of their setting."""
    if faults := key_faults(keys):
        raise ImproperlyConfigured(f"{' '.join(faults)} See .env.example.")


def _key_fault(key: str) -> str:
    if key.startswith("#"):
        return "starts with #: it looks like a comment"
    if any(character.isspace() for character in key):
        return "contains blanks: it may contain a comment"
    if len(key) < MIN_KEY_LENGTH:
        return f"is shorter than {MIN_KEY_LENGTH} characters"
    return ""


def parse_origin(origin: str) -> SplitResult:
    """The parts of SITE_ORIGIN; raises `ImproperlyConfigured` if it is not an origin."""
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise ImproperlyConfigured(f"SITE_ORIGIN must look like https://ground.example, not {origin!r}.")
    return parts


def require_mailbox(address: str) -> None:
    """Raise `ImproperlyConfigured` if EMAIL_MAILBOX is not an ASCII address."""
    if not address.isascii() or "@" not in parseaddr(address)[1]:
        raise ImproperlyConfigured(f"EMAIL_MAILBOX must be an address such as digests@ground.example, not {address!r}.")


def require_consistent_timeouts(*, timeout: int, data: float, lease: int) -> None:
    """Raise `ImproperlyConfigured` if a slow mail server would get emails twice; all in seconds.

    Connecting, greeting, TLS, signing in and a message's commands may each take `timeout` before the lease is renewed.
    """
    min_lease = 5 * timeout + 10
    if lease < min_lease:
        raise ImproperlyConfigured(
            f"EMAIL_LEASE_SECONDS is {lease}; with EMAIL_TIMEOUT={timeout} it must be at least "
            f"{min_lease} (5 x EMAIL_TIMEOUT + 10 s), or a slow mail server would get emails twice."
        )
    if data < timeout:
        raise ImproperlyConfigured(
            f"EMAIL_DATA_TIMEOUT is {data:g}; it must be at least EMAIL_TIMEOUT ({timeout} s). "
            "RFC 5321 (4.5.3.2.6) asks clients to wait 600 s for the answer to the end of DATA."
        )


def load(environ: MutableMapping[str, str], *, base_dir: Path = BASE_DIR, var_dir: Path = VAR_DIR) -> None:
    """Set what is unset, group by group, from `.env` and from the running embedded services."""
    for key, value in read_file(base_dir / ".env").items():
        environ.setdefault(key, value)
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
