"""Let import runs belong to an authority whose staff uploaded its own files."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0002_history_of_deletions"),
        ("transfer", "0008_lists_checked_by_a_worker"),
    ]

    operations = [
        migrations.AddField(
            model_name="importrun",
            name="organisation",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose own files they are, if its staff uploaded them.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(fields=["organisation", "-started_at", "-id"], name="import_run_of_organisation"),
        ),
    ]
