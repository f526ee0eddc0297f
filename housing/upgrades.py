"""What an upgrade must know.

Migrations that wait, which of them old code can live with, and installed packages.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection
from packaging.requirements import Requirement

#: The number of each app's last migration that was not checked for old code that still runs, because no version was
#: released then (tools/expand_contract.py). To apply these, pages and workers must stop.
LAST_UNCHECKED = {
    "activity": 7,
    "agreements": 28,
    "answers": 1,
    "calendars": 2,
    "commitments": 10,
    "conversations": 11,
    "developer_agreements": 2,
    "digests": 38,
    "exchange": 18,
    "housing": 1,
    "housing_figures": 2,
    "kit": 2,
    "lists": 4,
    "nominations": 5,
    "open_data": 1,
    "organisations": 26,
    "outbox": 6,
    "people": 10,
    "plans": 23,
    "recommendations": 2,
    "reports": 3,
    "search": 9,
    "spreadsheets": 3,
    "surveys": 4,
    "transfer": 11,
}
#: A virtual environment brings its own; the lock has it for the checks only.
_BROUGHT = frozenset({"pip"})
_PINNED = re.compile(r"^\S+==[^\\\n]+", re.MULTILINE)


def number(name: str) -> int:
    """The number at the start of a migration's name."""
    return int(name.partition("_")[0])


def old_code_can_run(app: str, name: str) -> bool:
    """Whether code of the version before a migration can go on running after it."""
    if app not in our_apps():
        return False
    return number(name) > LAST_UNCHECKED.get(app, 0)


@cache
def our_apps() -> frozenset[str]:
    """The labels of our own apps."""
    return frozenset(
        config.label
        for config in apps.get_app_configs()
        if config.name.partition(".")[0] in {"partnerships", "housing"}
    )


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Our migrations by app and name, as they were on disk when this process first asked."""
    return frozenset(
        (label, path.stem)
        for label in our_apps()
        for path in (Path(apps.get_app_config(label).path) / "migrations").glob("[0-9]*.py")
    )


def unapplied_migrations() -> list[tuple[str, str]]:
    """Our migrations that this code has and the database does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return sorted(known_migrations() - set(cursor.fetchall()))


def is_read_only() -> bool:
    """Whether the database takes no writes: a standby, or set so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool")
        (answer,) = cursor.fetchone()
    return bool(answer)


def package_faults() -> list[str]:
    """A sentence for each package that is missing, or installed in another version than the lock's."""
    root = Path(settings.BASE_DIR)
    wanted = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    faults = [f"{one.name} is not installed." for one in map(Requirement, wanted) if not _installed(one.name)]
    for one in map(Requirement, _PINNED.findall((root / "requirements.txt").read_text(encoding="utf-8"))):
        found = _installed(one.name)
        applies = one.name not in _BROUGHT and (one.marker is None or one.marker.evaluate())
        if found and applies and found not in one.specifier:
            faults.append(f"{one.name} {found} is installed instead of {str(one.specifier).removeprefix('==')}.")
    return faults


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
