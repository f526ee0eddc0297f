"""Create the table of files of long lists, which a worker makes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lists", "0002_views_of_the_board"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ListFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("kind", models.CharField(max_length=30)),
                ("form", models.CharField(help_text="The format: csv, xlsx or ods.", max_length=4)),
                ("query", models.TextField(blank=True)),
                ("asked", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(blank=True, null=True)),
                ("holds", models.CharField(blank=True, max_length=64)),
                ("content", models.BinaryField(editable=False, null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="list_files",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("error", ""), ("made_at", None)),
                        fields=["asked_at"],
                        name="list_file_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("made_at", None), ("content__isnull", False), _connector="OR"),
                        name="list_file_made_is_there",
                    )
                ],
            },
        ),
    ]
