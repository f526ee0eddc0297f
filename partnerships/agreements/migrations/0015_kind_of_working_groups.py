"""Create the kind that every working group has."""

from django.db import migrations


def add_kind(apps, schema_editor):
    kinds = apps.get_model("agreements", "PartnershipKind")
    kinds.objects.create(
        code="working_group",
        label="Working group",
        purpose="Some organisations of a partnership work on one task.",
        position=110,
        requires_review_date=False,
    )


class Migration(migrations.Migration):
    dependencies = [("agreements", "0014_working_groups")]

    operations = [migrations.RunPython(add_kind, migrations.RunPython.noop)]
