"""A letter is found by the number in its Message-ID, not by an index of all of them; and what it is joined of stands
once in its recipe."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_AT_A_TIME = 1_000


def write_anew(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """[text, number, text …] becomes [[-1, number, -2 …], [text, text …]], each text once."""
    delivery = apps.get_model("digests", "Delivery")
    after = 0
    while True:
        rows = list(delivery.objects.filter(pk__gt=after, recipe__isnull=False).order_by("pk")[:_AT_A_TIME])
        if not rows:
            return
        for row in rows:
            row.recipe = _anew(row.recipe)
        delivery.objects.bulk_update(rows, ["recipe"])
        after = rows[-1].pk


def _anew(recipe: list[Any]) -> list[list[Any]]:
    words = list(dict.fromkeys(part for part in recipe if isinstance(part, str)))
    return [[~words.index(part) if isinstance(part, str) else part for part in recipe], words]


def as_before(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The way back."""
    schema_editor.execute("UPDATE digests_delivery SET message_id = '<' || id || '>' WHERE message_id = ''")
    delivery = apps.get_model("digests", "Delivery")
    for row in delivery.objects.filter(recipe__isnull=False).iterator(_AT_A_TIME):
        layout, words = row.recipe
        row.recipe = [words[~part] if part < 0 else part for part in layout]
        row.save(update_fields=["recipe"])


class Migration(migrations.Migration):
    dependencies = [("digests", "0014_what_stands_paused_or_not")]

    operations = [
        migrations.RemoveConstraint("delivery", "one_delivery_a_message_id"),
        migrations.AlterField("delivery", "message_id", models.CharField(blank=True, max_length=120)),
        migrations.RunPython(write_anew, as_before),
    ]
