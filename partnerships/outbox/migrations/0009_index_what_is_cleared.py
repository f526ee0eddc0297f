"""Index the emails whose address, subject or reason is not cleared yet, with the condition that retention uses.

The index before this one had only emails with an address. Retention asks for all three columns, so it read every email
of three years each hour.
"""

from django.db import connection, migrations

INDEX = "outbox_email_personal"
#: PostgreSQL compares a query's condition with the index's, so this is what Django makes of `clear_addresses`.
COLUMNS = "(created_at) WHERE settled_at IS NOT NULL AND NOT (address = '' AND reason = '' AND subject = '')"
BEFORE = "(created_at) WHERE address <> '' AND settled_at IS NOT NULL"


def build(name, columns, schema_editor):
    """Build the index concurrently for each month, then attach these indexes to one of the whole table.

    PostgreSQL cannot build an index of a partitioned table concurrently. The migration may be interrupted and run again.
    """
    schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON ONLY outbox_email {columns}")
    with connection.cursor() as cursor:
        # Partitions that were made since have it already; those of an earlier try too.
        cursor.execute(
            "SELECT t.oid::regclass::text FROM pg_inherits i JOIN pg_class t ON t.oid = i.inhrelid"
            " WHERE i.inhparent = 'outbox_email'::regclass AND NOT EXISTS ("
            "SELECT 1 FROM pg_inherits one JOIN pg_index x ON x.indexrelid = one.inhrelid"
            " WHERE one.inhparent = %s::regclass AND x.indrelid = t.oid)",
            [name],
        )
        months = [table for (table,) in cursor.fetchall()]
    for table in months:
        own = f"{name}_{table.removeprefix('outbox_email_')}"
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {own}")
        schema_editor.execute(f"CREATE INDEX CONCURRENTLY {own} ON {table} {columns}")
        schema_editor.execute(f"ALTER INDEX {name} ATTACH PARTITION {own}")


def forwards(apps, schema_editor):
    """Replace the old index by the new one."""
    build(INDEX, COLUMNS, schema_editor)
    schema_editor.execute("DROP INDEX IF EXISTS outbox_email_address")


def backwards(apps, schema_editor):
    """Restore the old index."""
    build("outbox_email_address", BEFORE, schema_editor)
    schema_editor.execute(f"DROP INDEX IF EXISTS {INDEX}")


class Migration(migrations.Migration):
    atomic = False  # as CONCURRENTLY needs it
    dependencies = [("outbox", "0008_reword_bounces")]

    operations = [migrations.RunPython(forwards, backwards)]
