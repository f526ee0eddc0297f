"""Prevent changes of what a settled digest reported, while the email is in the ledger."""

from django.db import migrations

# Composing sets the numbers and leaves items out, and pausing removes them, all while the email is open. Retention
# removes the items of emails whose partition is gone.
GUARD = """
CREATE FUNCTION digests_item_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.id, OLD.delivery_id, OLD.plan_id, OLD.from_number)
       IS DISTINCT FROM (NEW.id, NEW.delivery_id, NEW.plan_id, NEW.from_number)
    THEN
        RAISE EXCEPTION 'The ledger stands: an item of a digest stays what it is';
    END IF;
    IF EXISTS (SELECT 1 FROM outbox_email WHERE id = OLD.delivery_id AND settled_at IS NOT NULL) THEN
        RAISE EXCEPTION 'The ledger stands: what a settled digest told neither changes nor goes';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER digests_item_stands BEFORE UPDATE OR DELETE ON digests_deliveryitem FOR EACH ROW
    EXECUTE FUNCTION digests_item_guard();
"""

BACK = """
DROP TRIGGER digests_item_stands ON digests_deliveryitem;
DROP FUNCTION digests_item_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0024_reword_help_texts"), ("outbox", "0005_guard_open_emails")]

    operations = [migrations.RunSQL(GUARD, BACK)]
