"""System checks of production settings, run by `manage.py check --deploy`."""

from __future__ import annotations

import difflib
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, InterfaceError

from housing.declarations import REMOVED, SECRETS, SETTINGS
from housing.declarations.checks import keys_fault
from housing.declarations.pages import HSTS_STEPS
from housing.environment import BASE_DIR, read_file
from housing.grants import owners_of_history

#: The last step that we suggest. Later steps add subdomains and preloading, which operators choose themselves.
FULL_HSTS = 3


@register(Tags.security, deploy=True)
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Return an error for each weak secret key. Without DEBUG, these keys also prevent the start."""
    errors: list[CheckMessage] = []
    for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SECOND_FACTOR_KEYS", "ADDRESS_HASH_KEYS"):
        value = getattr(settings, name)
        fault = keys_fault([value] if isinstance(value, str) else value)
        if fault:
            errors.append(Error(f"{name} {fault}", id="housing.E001"))
    return errors


@register(Tags.security, deploy=True)
def check_roles(**kwargs: Any) -> list[CheckMessage]:
    """Warn about workers that connect as the web's role."""
    if settings.ROLE_DATABASES["worker"]["USER"] != settings.ROLE_DATABASES["web"]["USER"]:
        return []
    return [
        checks.Warning(
            "Workers connect as the web's database role, whose time limits are too short for them.",
            hint="Create a role for workers and set DATABASE_WORKER_URL (docs/deploy.md).",
            id="housing.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_owner(**kwargs: Any) -> list[CheckMessage]:
    """Return an error for web processes or workers that connect as the tables' owner.

    The owner has no time limits and may rewrite history. The check queries the database, because the environment of
    these processes does not name the owner. One role for everything is allowed, with the warning of `check_roles`.
    """
    try:
        owners = owners_of_history()
    except (DatabaseError, InterfaceError):  # there is no database yet, or it has no tables
        return []
    role_by_process = {name: settings.ROLE_DATABASES[name]["USER"] for name in ("web", "worker")}
    if owners.keys() == set(role_by_process.values()) and len(owners) == 1:
        return []
    return [
        Error(
            f"{name.capitalize()} connects as {user}, which owns "
            f"{'tables of history' if len(owners) == 1 else 'some of the tables of history'} and may rewrite them.",
            hint="Connect as a role that owns no tables, and let DATABASE_OWNER_URL name the owner (docs/deploy.md).",
            id="housing.E002",
        )
        for name, user in role_by_process.items()
        if user in owners
    ]


@register(Tags.security, deploy=True)
def check_names(**kwargs: Any) -> list[CheckMessage]:
    """Warn about names in `.env` that are not settings, which are probably misspelt."""
    valid_names = {setting.name for setting in SETTINGS} | {f"{name}_FILE" for name in SECRETS} | REMOVED.keys()
    warnings: list[CheckMessage] = []
    for name in sorted(read_file(BASE_DIR / ".env").keys() - valid_names):
        similar_names = difflib.get_close_matches(name, valid_names, n=1)
        hint = "docs/reference/settings.md lists all settings."
        if similar_names:
            hint = f"Did you mean {similar_names[0]}?"
        warnings.append(checks.Warning(f"{name} in .env is not a setting.", hint=hint, id="housing.W002"))
    return warnings


@register(Tags.security, deploy=True)
def check_hsts(**kwargs: Any) -> list[CheckMessage]:
    """Suggest the next HSTS step. It is right once all pages have worked over https for a while."""
    step = HSTS_STEPS.index(
        (settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD)
    )
    if not settings.HTTPS or step >= FULL_HSTS:
        return []
    return [
        checks.Info(
            f"HSTS_STEP is {step}.",
            hint=f"If all pages have worked over https since it was set, set HSTS_STEP={step + 1} (docs/deploy.md).",
            id="housing.I001",
        )
    ]
