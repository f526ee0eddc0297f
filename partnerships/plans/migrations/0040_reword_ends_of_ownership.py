"""Reword why an ownership of a plan ended; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0039_rename_constraints"),
    ]

    operations = [
        migrations.AlterField(
            model_name="planowner",
            name="ended_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("left", "The owner left the partnership, was removed from it or became an observer"),
                    ("handed_over", "The owner handed the plan over to another organisation"),
                    ("given_up", "The owner gave up its ownership"),
                ],
                max_length=11,
            ),
        ),
        migrations.AlterField(
            model_name="planownerevent",
            name="ended_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("left", "The owner left the partnership, was removed from it or became an observer"),
                    ("handed_over", "The owner handed the plan over to another organisation"),
                    ("given_up", "The owner gave up its ownership"),
                ],
                max_length=11,
            ),
        ),
    ]
