"""Index emails to an address without a person, because each erasure read every email of three years."""

from importlib import import_module

from django.db import migrations

INDEX = "outbox_email_to_address"
#: PostgreSQL compares a query's condition with the index's, so this is what Django makes of `clear_addresses`.
COLUMNS = "(upper(address::text)) WHERE person_id IS NULL"


def forwards(apps, schema_editor):
    """Build the index concurrently for each month."""
    import_module("partnerships.outbox.migrations.0009_index_what_is_cleared").build(INDEX, COLUMNS, schema_editor)


def backwards(apps, schema_editor):
    schema_editor.execute(f"DROP INDEX IF EXISTS {INDEX}")


class Migration(migrations.Migration):
    atomic = False  # as CONCURRENTLY needs it
    dependencies = [("outbox", "0011_remember_each_thing_told")]

    operations = [migrations.RunPython(forwards, backwards)]
