"""Store each text of an email once, and its links by their tokens alone.

Emails are converted one at a time, and can be read meanwhile. If the migration is interrupted, it goes on where it
stopped.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_AT_A_TIME = 500
_STOP_LINK = re.compile(r"^List-Unsubscribe: <[^>]*/([^/>]+)/>", re.MULTILINE)


def _batches(apps: Apps) -> Iterator[list[Any]]:
    delivery = apps.get_model("digests", "Delivery")
    after = 0
    while rows := list(delivery.objects.filter(pk__gt=after, recipe__isnull=False).order_by("pk")[:_AT_A_TIME]):
        yield rows
        delivery.objects.bulk_update(rows, ["recipe"])
        after = rows[-1].pk


def write_anew(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Turn [text, number, text …] into [[-1, number, -2 …], [text, text …]], with each text once."""
    for rows in _batches(apps):
        for row in rows:
            if not any(isinstance(part, list) for part in row.recipe):
                row.recipe = _anew(row.recipe)


def _anew(recipe: list[Any]) -> list[list[Any]]:
    parts = [part for said in recipe for part in (_at_tokens(said) if isinstance(said, str) else [said])]
    words = list(dict.fromkeys(part for part in parts if isinstance(part, str)))
    return [[~words.index(part) if isinstance(part, str) else part for part in parts], words]


def _at_tokens(text: str) -> list[str]:
    """Split the text at its tokens. The token to stop must be separate, because it tells whether the links still work."""
    found = _STOP_LINK.search(text)
    return [part for part in re.split(f"({re.escape(found[1])})", text) if part] if found else [text]


def as_before(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Reverse `write_anew`: join neighbouring texts again."""
    for rows in _batches(apps):
        for row in rows:
            if any(isinstance(part, list) for part in row.recipe):
                row.recipe = _as_before(*row.recipe)


def _as_before(layout: list[int], words: list[str]) -> list[Any]:
    parts: list[Any] = []
    for number in layout:
        part = words[~number] if number < 0 else number
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


class Migration(migrations.Migration):
    atomic = False  # no lock over all letters

    dependencies = [("digests", "0014_what_stands_paused_or_not")]

    operations = [migrations.RunPython(write_anew, as_before)]
