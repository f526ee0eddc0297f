"""Prevent a temporary table from standing in for the ledger when items of digests are guarded."""

from django.db import migrations

# Temporary tables come last in the search path, and the ledger is named with its schema: the application's role may
# create a temporary table `outbox_email`, in which no email is settled.
GUARD = """
CREATE OR REPLACE FUNCTION digests_item_guard() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.id, OLD.delivery_id, OLD.plan_id, OLD.from_number)
       IS DISTINCT FROM (NEW.id, NEW.delivery_id, NEW.plan_id, NEW.from_number)
    THEN
        RAISE EXCEPTION 'The ledger stands: an item of a digest stays what it is';
    END IF;
    IF EXISTS (SELECT 1 FROM public.outbox_email WHERE id = OLD.delivery_id AND settled_at IS NOT NULL) THEN
        RAISE EXCEPTION 'The ledger stands: what a settled digest told neither changes nor goes';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("digests", "0027_rename_match_told")]

    # The stronger guard does no harm to the code before.
    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
