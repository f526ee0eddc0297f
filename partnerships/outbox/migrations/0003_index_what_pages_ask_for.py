"""Create small indexes for pages and metrics: notices, emails that were not sent, and emails that were not composed."""

from django.db import migrations

# The text is that of `NOT_COMPOSED`: PostgreSQL compares a query's condition with the index's word by word.
INDEXES = """
DROP INDEX outbox_email_stuck;
CREATE INDEX outbox_email_not_composed ON outbox_email (id) WHERE reason LIKE 'It could not be written%';
CREATE INDEX outbox_email_not_sent ON outbox_email (status, id) WHERE status IN ('failed', 'suppressed');
CREATE INDEX outbox_email_notices ON outbox_email (id) WHERE lane < 2;
CREATE INDEX outbox_email_notices_by_status ON outbox_email (status, id) WHERE lane < 2;
"""

BACK = """
DROP INDEX outbox_email_notices_by_status, outbox_email_notices, outbox_email_not_sent, outbox_email_not_composed;
CREATE INDEX outbox_email_stuck ON outbox_email (id) WHERE status IN ('queued', 'sending', 'failed') AND reason <> '';
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0002_guard_the_ledger")]

    operations = [migrations.RunSQL(INDEXES, BACK)]
