"""Files in var/ that commands of one copy share, with its secrets and the addresses of running services."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from tools.embedded import postgres


def read_secrets(var: Path) -> dict[str, str]:
    """Return the secret key and database passwords of this copy, made at its first start.

    A role added since then gets a password too.
    """
    path = var / "secrets.json"
    new_secrets = {"SECRET_KEY": secrets.token_urlsafe(50), **postgres.new_passwords()}
    saved_secrets: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    if not new_secrets.keys() <= saved_secrets.keys():
        saved_secrets = new_secrets | saved_secrets
        _write_private(path, json.dumps(saved_secrets))
    return saved_secrets


def write_embedded_env(var: Path, exported: Mapping[str, str]) -> None:
    """Write the settings that other commands of this copy read (housing/environment.py)."""
    lines = [f"{key}={value}\n" for key, value in exported.items()]
    header = "# Written by `make run`: how other commands of this copy find its services.\n"
    _write_private(var / "embedded.env", header + "".join(lines))


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step. Only its owner may read it."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(text)
    temporary.replace(path)
