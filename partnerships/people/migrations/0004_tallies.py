"""Create counters for rate limits, which one statement increases."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0003_administration_in_the_security_log")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64)),
                ("began_at", models.DateTimeField()),
                ("count", models.PositiveIntegerField()),
            ],
            options={
                "verbose_name_plural": "tallies",
                "indexes": [models.Index(fields=["began_at"], name="tally_began_at")],
                "constraints": [models.UniqueConstraint(fields=("key", "began_at"), name="one_tally_a_stretch")],
            },
        ),
    ]
