"""Restrict milestones whose site was removed, because the site may have been confidential."""

from django.db import migrations

RESTRICT = """
UPDATE plans_milestone SET restricted = true
 WHERE site_key <> '' AND NOT restricted AND NOT EXISTS (
    SELECT 1 FROM plans_site s WHERE s.plan_id = plans_milestone.plan_id AND s.key = plans_milestone.site_key
)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0005_history_of_files_and_promises"),
    ]

    operations = [
        migrations.RunSQL(RESTRICT, migrations.RunSQL.noop),
    ]
