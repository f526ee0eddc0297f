"""System checks of production settings, run by `manage.py check --deploy`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from housing.environment import key_faults


@register(Tags.security, deploy=True)
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Find weak secret keys; without DEBUG they prevent the start as well."""
    names = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SECOND_FACTOR_KEYS")
    given = {name: getattr(settings, name) for name in names}
    keys = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    return [Error(fault, id="housing.E001") for fault in key_faults(keys)]


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
