"""Protect the ledger by rights and triggers, drop old partitions by their bounds, and index for retention."""

from django.db import migrations

# Temporary tables come last in the search path: a caller's own `pg_class` must not be read instead of the catalogue.
# A lock is waited for only shortly: a backup that reads the table for an hour would otherwise make every page that
# records an email wait behind us. The job tries again in an hour, and partitions are made a year ahead.
GUARD = """
ALTER FUNCTION outbox_make_partitions(timestamptz, int) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION outbox_make_partitions(timestamptz, int) SET lock_timeout = '1s';

-- Three years: docs/privacy.md. A partition with an email that is still to leave stays. The age is read from the bound
-- of the partition, so that the one of emails from before there were partitions goes too.
CREATE OR REPLACE FUNCTION outbox_drop_partitions() RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    dropped int := 0;
    oldest bigint := public.outbox_month(clock_timestamp() - interval '3 years');
    part record;
    is_open boolean;
BEGIN
    FOR part IN
        SELECT c.relname, i.inhparent = 'public.outbox_email'::regclass AS holds_emails
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent IN ('public.outbox_email'::regclass, 'public.outbox_bounce'::regclass)
           AND substring(pg_get_expr(c.relpartbound, c.oid) FROM $bound$TO \\('?(\\d+)'?\\)$bound$)::bigint
               <= oldest << 40
         ORDER BY c.relname
    LOOP
        is_open := false;
        IF part.holds_emails THEN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I WHERE settled_at IS NULL)', part.relname)
               INTO is_open;
        END IF;
        IF NOT is_open THEN
            EXECUTE format('DROP TABLE public.%I', part.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION outbox_make_partitions(timestamptz, int), outbox_drop_partitions() FROM PUBLIC;

CREATE FUNCTION outbox_bounce_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'The ledger stands: no DELETE on outbox_bounce';
    END IF;
    IF (OLD.id, OLD.kind, OLD.email_id, OLD.person_id, OLD.at)
       IS DISTINCT FROM (NEW.id, NEW.kind, NEW.email_id, NEW.person_id, NEW.at)
       OR (NEW.address <> '' AND NEW.address <> OLD.address) OR (NEW.text <> '' AND NEW.text <> OLD.text)
    THEN
        RAISE EXCEPTION 'The ledger stands: of a bounce only personal data is cleared';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER outbox_bounce_stands BEFORE UPDATE OR DELETE ON outbox_bounce FOR EACH ROW
    EXECUTE FUNCTION outbox_bounce_guard();

CREATE INDEX outbox_email_address ON outbox_email (created_at) WHERE address <> '' AND settled_at IS NOT NULL;
CREATE INDEX outbox_bounce_at ON outbox_bounce (at) WHERE address <> '';
"""

BACK = """
DROP INDEX outbox_bounce_at, outbox_email_address;
DROP TRIGGER outbox_bounce_stands ON outbox_bounce;
DROP FUNCTION outbox_bounce_guard;
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_create_outbox")]

    operations = [migrations.RunSQL(GUARD, BACK)]
