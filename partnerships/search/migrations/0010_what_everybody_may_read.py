"""Store until when an entry is under embargo, and index the versions under embargo again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0009_follow_recommendations"), ("plans", "0024_milestones_and_sites_in_order")]

    operations = [
        migrations.RunSQL(
            "INSERT INTO search_stale (source_column, value)"
            " SELECT DISTINCT 'plan', plan_id FROM plans_version WHERE embargo_until > now()",
            migrations.RunSQL.noop,
        ),
        # Last: from here on nobody reads the index until this is committed.
        migrations.AddField("searchentry", "opens_at", models.DateTimeField(null=True)),
    ]
