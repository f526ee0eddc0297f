"""Add the code of an email's reason to the view of digests' emails."""

from django.db import migrations

COLUMNS = """e.id, e.person_id, e.kind, e.params, (e.params ->> 'subscription')::bigint AS subscription_id, e.message_id,
       e.status, e.address, e.subject, e.recipe, e.attempts, e.in_doubt, e.available_at, e.created_at, e.settled_at,
       e.reason, e.repeat_of_id,
       EXISTS (SELECT 1 FROM outbox_bounce b WHERE b.email_id = e.id AND b.kind <> 'delayed') AS bounced"""
ROWS = """
  FROM outbox_email e
 WHERE e.kind IN ('digests.digest', 'digests.confirmation', 'digests.links') AND e.status <> 'dropped';
"""
VIEW = f"CREATE OR REPLACE VIEW digests_delivery AS SELECT {COLUMNS}, e.reason_code{ROWS}"
BACK = f"DROP VIEW digests_delivery; CREATE VIEW digests_delivery AS SELECT {COLUMNS}{ROWS}"


class Migration(migrations.Migration):
    dependencies = [("digests", "0021_followers_of_present_owners"), ("outbox", "0004_code_reasons")]

    operations = [migrations.RunSQL(VIEW, BACK)]
