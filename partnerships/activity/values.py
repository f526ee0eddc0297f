"""Values before and after a change, as JSON for an event's `data`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model


def plain(value: Any) -> Any:
    """A value as JSON.

    Dates in ISO form, decimals as text, people by number, and other records by name.
    """
    if isinstance(value, AbstractBaseUser):
        return value.pk
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def apply_changes(record: Model, fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set fields that differ, unsaved; returns their old and new values."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in fields.items():
        was = getattr(record, name)
        if was != value:
            before[name], after[name] = plain(was), plain(value)
            setattr(record, name, value)
    return before, after
