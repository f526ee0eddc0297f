"""Store a draft's HTML beside its Markdown, and with all stored HTML the version of the rules that made it.

HTML stored before has no such version, so it is cleaned again whenever it is read.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0006_milestones_of_sites_that_are_gone"),
    ]

    operations = [
        migrations.AddField("draft", "prose", models.JSONField(default=dict)),
        migrations.AddField("draft", "prose_rules", models.CharField(default="", max_length=16)),
        migrations.AddField(
            "version",
            "prose_rules",
            models.CharField(default="", help_text="The mark of the rules that made the HTML.", max_length=16),
        ),
    ]
