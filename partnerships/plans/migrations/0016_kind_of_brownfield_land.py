"""Create the kind of plan for registers of brownfield land."""

from django.db import migrations


def add_kind(apps, schema_editor):
    apps.get_model("plans", "PlanKind").objects.get_or_create(
        code="brownfield_land", defaults={"label": "Brownfield land register", "position": 80}
    )


class Migration(migrations.Migration):
    dependencies = [("plans", "0015_words_for_search")]

    operations = [migrations.RunPython(add_kind, migrations.RunPython.noop)]
