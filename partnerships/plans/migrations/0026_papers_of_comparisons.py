"""Store the PDFs of comparisons of versions."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0025_openings_of_maps_and_comments")]

    operations = [
        migrations.CreateModel(
            name="ComparedPaper",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reader",
                    models.CharField(
                        choices=[
                            ("inside", "Owner organisations and parties: everything"),
                            ("outside", "Everyone else: no confidential site, no restricted text"),
                        ],
                        max_length=10,
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("pdf", models.BinaryField()),
                ("made_at", models.DateTimeField(db_index=True)),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="compared_papers",
                        to="plans.version",
                    ),
                ),
                (
                    "against",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="plans.version"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "against", "reader"), name="one_compared_paper_a_reader")
                ],
            },
        ),
    ]
