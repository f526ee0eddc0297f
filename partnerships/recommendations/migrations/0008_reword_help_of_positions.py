"""Reword the help text of a recommendation’s position; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0007_rename_constraints"),
    ]

    operations = [
        migrations.AlterField(
            model_name="recommendation",
            name="position",
            field=models.PositiveSmallIntegerField(
                help_text="The recommendation’s position among those recorded here."
            ),
        ),
        migrations.AlterField(
            model_name="recommendationevent",
            name="position",
            field=models.PositiveSmallIntegerField(
                help_text="The recommendation’s position among those recorded here."
            ),
        ),
    ]
