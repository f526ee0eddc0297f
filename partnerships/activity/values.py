"""Turn the values before and after a change into JSON for the `data` of an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model


def as_json_value(value: Any) -> Any:
    """Return the value in a form that JSON can store.

    Dates become ISO text, decimals text, people their id and other records their name.
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
        return [as_json_value(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def apply_changes(record: Model, fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the fields that differ on the record, and return the values before and after. The caller saves the record.

    For example, `({"title": "Land"}, {"title": "Land in Fareham"})`. The values are in a form that JSON can store.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, new_value in fields.items():
        old_value = getattr(record, name)
        if old_value != new_value:
            before[name] = as_json_value(old_value)
            after[name] = as_json_value(new_value)
            setattr(record, name, new_value)
    return before, after
