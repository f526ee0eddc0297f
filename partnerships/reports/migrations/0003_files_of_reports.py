import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0002_failures_of_schedules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReportFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("report", models.CharField(max_length=60)),
                ("form", models.CharField(help_text="The format: pdf, docx or xlsx.", max_length=4)),
                ("question", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField()),
                ("made_at", models.DateTimeField(blank=True, null=True)),
                ("holds", models.CharField(blank=True, max_length=64)),
                ("figures", models.JSONField(editable=False, null=True)),
                ("content", models.BinaryField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="report_files",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="reportfile",
            index=models.Index(
                condition=models.Q(("error", ""), ("made_at", None)), fields=["asked_at"], name="report_file_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="reportfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("made_at", None), models.Q(("content__isnull", False), ("figures__isnull", False)), _connector="OR"
                ),
                name="report_file_made_is_there",
            ),
        ),
    ]
