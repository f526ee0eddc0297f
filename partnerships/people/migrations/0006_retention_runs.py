"""Create the table of retention runs, by which one process claims each day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0005_logs_stand")]

    operations = [
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(unique=True)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("removed", models.JSONField(default=dict, help_text="How many things went, by rule.")),
            ],
        ),
    ]
