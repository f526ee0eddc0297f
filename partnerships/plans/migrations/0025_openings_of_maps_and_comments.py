"""Record openings of the map of a shared draft, and of its comments."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0024_milestones_and_sites_in_order")]

    operations = [
        migrations.AlterField(
            model_name="shareopening",
            name="how",
            field=models.CharField(
                choices=[
                    ("screen", "On screen"),
                    ("compared", "On screen, compared with a version"),
                    ("paper", "On paper"),
                    ("pdf", "As a PDF"),
                    ("csv", "As a spreadsheet"),
                    ("document", "A document in it"),
                    ("map", "The map of its sites"),
                    ("comments", "The comments on it"),
                ],
                max_length=8,
            ),
        ),
    ]
