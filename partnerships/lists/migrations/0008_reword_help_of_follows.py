"""Reword a help text of views that people follow; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lists", "0007_rename_constraints"),
    ]

    operations = [
        migrations.AlterField(
            model_name="follow",
            name="told_at",
            field=models.DateTimeField(
                blank=True, help_text="When we last recorded an email about the view.", null=True
            ),
        ),
    ]
