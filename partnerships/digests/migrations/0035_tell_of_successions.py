"""Add emails about successions to the view of digests' emails."""

from django.db import migrations

COLUMNS = """e.id, e.person_id, e.kind, e.params, (e.params ->> 'subscription')::bigint AS subscription_id, e.message_id,
       e.status, e.address, e.subject, e.recipe, e.attempts, e.in_doubt, e.available_at, e.created_at, e.settled_at,
       e.reason, e.repeat_of_id,
       EXISTS (SELECT 1 FROM outbox_bounce b WHERE b.email_id = e.id AND b.kind <> 'delayed') AS bounced,
       e.reason_code"""
OLD = "'digests.digest', 'digests.confirmation', 'digests.links'"
VIEW = """
CREATE OR REPLACE VIEW digests_delivery AS SELECT {columns}
  FROM outbox_email e
 WHERE e.kind IN ({kinds}) AND e.status <> 'dropped';
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0034_working_days_of_a_nation")]

    operations = [
        migrations.RunSQL(
            VIEW.format(columns=COLUMNS, kinds=f"{OLD}, 'digests.succession'"), VIEW.format(columns=COLUMNS, kinds=OLD)
        )
    ]
