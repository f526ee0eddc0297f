"""Store the PDFs of published versions."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0007_html_of_drafts_and_its_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="Paper",
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="papers", to="plans.version"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "reader"), name="one_paper_a_version_and_reader")
                ],
            },
        ),
    ]
