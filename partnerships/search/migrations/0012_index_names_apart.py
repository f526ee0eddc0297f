"""Index again the records that are found by names of organisations, which excerpts no longer show."""

from django.db import migrations

#: Each source and the table of its records.
QUEUED = {
    "conversation": "conversations_conversation",
    "meeting": "conversations_meeting",
    "entry": "exchange_entry",
    "commitment": "commitments_commitment",
}


class Migration(migrations.Migration):
    # Each step may run again.
    atomic = False
    dependencies = [("search", "0011_index_what_everybody_may_read")]

    operations = [
        migrations.RunSQL(
            f"INSERT INTO search_stale (source_column, value) SELECT '{code}', id FROM {table}",  # noqa: S608 - names of ours
            migrations.RunSQL.noop,
        )
        for code, table in QUEUED.items()
    ]
