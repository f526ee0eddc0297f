"""What an upgrade must know: migrations that wait, which of them old code can live with, and installed packages."""

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

#: The last migration of each app from before migrations were checked for old code that still runs
#: (tools/expand_contract.py). To apply these, pages and workers must stop.
LAST_UNCHECKED = {
    "activity": "0007_recommendations_as_subjects",
    "agreements": "0028_vacancies_without_nominees",
    "answers": "0001_create_answers",
    "calendars": "0002_reviews_of_responses",
    "commitments": "0010_drop_reminder_choice",
    "conversations": "0011_settle_what_ended_before",
    "developer_agreements": "0002_agreements_entered_on_pages",
    "digests": "0038_follow_recommendations",
    "exchange": "0018_views_replace_saved_filters",
    "housing_figures": "0002_datasets_never_change",
    "kit": "0002_give_no_number_twice",
    "lists": "0004_rows_of_files",
    "nominations": "0005_times_to_nominate",
    "open_data": "0001_publications_and_rows",
    "organisations": "0026_settle_what_stayed",
    "outbox": "0006_suppress_by_hash",
    "people": "0010_lead_times",
    "plans": "0021_addresses_of_sites",
    "recommendations": "0002_expectations_as_evidence",
    "reports": "0001_initial",
    "search": "0009_follow_recommendations",
    "spreadsheets": "0003_recommendations",
    "surveys": "0003_languages_are_chosen_on_the_page",
    "transfer": "0010_housing_figures",
    "housing": "0001_jobs_and_heartbeats",
}
_PINNED = re.compile(r"^\S+==[^\\\n]+", re.MULTILINE)


def number(name: str) -> int:
    """The number at the start of a migration's name."""
    return int(name.partition("_")[0])


def old_code_can_run(app: str, name: str) -> bool:
    """Whether code of the version before a migration can go on running after it."""
    if app not in our_apps():
        return False
    return app not in LAST_UNCHECKED or number(name) > number(LAST_UNCHECKED[app])


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
    """Our migrations by app and name, as they were on disk when this process began."""
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
        applies = one.marker is None or one.marker.evaluate()
        if found and applies and found not in one.specifier:
            faults.append(f"{one.name} {found} is installed instead of {str(one.specifier).removeprefix('==')}.")
    return faults


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
