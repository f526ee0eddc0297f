"""Prevent changes of what an open email is composed from: params and secrets may only be cleared."""

from django.db import migrations

# The condition is on the trigger, so that claiming and settling, which change neither, do not call the function.
GUARD = """
CREATE FUNCTION outbox_email_keeps_its_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger stands: params and secrets of an email are only cleared';
END
$$;
CREATE TRIGGER outbox_email_content BEFORE UPDATE ON outbox_email FOR EACH ROW
    WHEN (NEW.params IS DISTINCT FROM OLD.params AND NEW.params <> '{}'
          OR NEW.secrets IS NOT NULL AND NEW.secrets IS DISTINCT FROM OLD.secrets)
    EXECUTE FUNCTION outbox_email_keeps_its_content();
"""

BACK = """
DROP TRIGGER outbox_email_content ON outbox_email;
DROP FUNCTION outbox_email_keeps_its_content();
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0004_code_reasons")]

    operations = [migrations.RunSQL(GUARD, BACK)]
