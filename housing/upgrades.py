"""Facts for an upgrade about unapplied migrations, whether old code can run with them, and installed packages."""

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

#: The number of each app's last migration from before the first release. Nobody checked whether old code can run after
#: these migrations (tools/expand_contract.py), so pages and workers must stop while they are applied.
LAST_BEFORE_RELEASES = {
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
#: pip is in every virtual environment, in any version. The lock pins it only for the checks of dependencies.
_IGNORED_PACKAGES = frozenset({"pip"})
_PINNED = re.compile(r"^\S+==[^\\\n]+", re.MULTILINE)


def migration_number(name: str) -> int:
    """Return the number at the start of a migration's name."""
    return int(name.partition("_")[0])


def old_code_can_run(app: str, name: str) -> bool:
    """Return whether code from before a migration can continue to run after it."""
    if app not in our_apps():
        return False  # nobody has checked the migrations of packages
    return migration_number(name) > LAST_BEFORE_RELEASES.get(app, 0)


@cache
def our_apps() -> frozenset[str]:
    """Return the labels of our own apps."""
    return frozenset(
        config.label
        for config in apps.get_app_configs()
        if config.name.partition(".")[0] in {"partnerships", "housing"}
    )


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Return the app and name of each of our migrations on the disk, read only at the first call."""
    return frozenset(
        (label, path.stem)
        for label in our_apps()
        for path in (Path(apps.get_app_config(label).path) / "migrations").glob("[0-9]*.py")
    )


def unapplied_migrations() -> list[tuple[str, str]]:
    """Return our migrations that are not applied to the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return sorted(known_migrations() - set(cursor.fetchall()))


def is_read_only() -> bool:
    """Return whether the database refuses writes, because it is a standby or was set to read-only."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool")
        (read_only,) = cursor.fetchone()
    return bool(read_only)


def package_faults() -> list[str]:
    """Return a sentence for each package that is missing, or installed in another version than the lock's."""
    root = Path(settings.BASE_DIR)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [Requirement(dependency).name for dependency in project["dependencies"]]
    faults = [f"{name} is not installed." for name in names if not _installed_version(name)]

    lock = (root / "requirements.txt").read_text(encoding="utf-8")
    for pinned in map(Requirement, _PINNED.findall(lock)):
        applies_here = pinned.marker is None or pinned.marker.evaluate()
        if pinned.name in _IGNORED_PACKAGES or not applies_here:
            continue
        installed_version = _installed_version(pinned.name)
        if installed_version and installed_version not in pinned.specifier:
            pinned_version = str(pinned.specifier).removeprefix("==")
            faults.append(f"{pinned.name} {installed_version} is installed instead of {pinned_version}.")
    return faults


def _installed_version(name: str) -> str:
    """Return the version of an installed package, or "" if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
