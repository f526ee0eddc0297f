"""System checks of what an organisation sets, run by `manage.py check --deploy`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from housing.environment import key_faults


@register(Tags.security, deploy=True)
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Weak secret keys: outside DEBUG they stop the start already."""
    names = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SECOND_FACTOR_KEYS")
    given = {name: getattr(settings, name) for name in names}
    keys = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    return [Error(fault, id="housing.E001") for fault in key_faults(keys)]
