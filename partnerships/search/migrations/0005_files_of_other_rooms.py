"""Follow evidence, files of conversations and meetings, and items of agendas, and queue existing ones."""

from django.db import migrations

from partnerships.search.triggers import create_trigger_sql, drop_trigger_sql

COLUMNS = ("commitments_evidence.id", "conversations_agendaitem.id", "conversations_attachment.id")
# Each source and the rows to queue.
QUEUED = {
    "evidence": "commitments_evidence",
    "attachment": "conversations_attachment WHERE sha256 <> ''",
    "agendaitem": "conversations_agendaitem WHERE subject_kind = ''",
}


class Migration(migrations.Migration):
    atomic = False  # as 0002

    dependencies = [
        ("search", "0004_index_again"),
        ("commitments", "0010_drop_reminder_choice"),
        ("conversations", "0011_settle_what_ended_before"),
    ]

    operations = [
        *(migrations.RunSQL(create_trigger_sql(column), drop_trigger_sql(column)) for column in COLUMNS),
        *(
            migrations.RunSQL(
                f"INSERT INTO search_stale (source_column, value) SELECT '{code}', id FROM {rows}",  # noqa: S608 - names of ours
                migrations.RunSQL.noop,
            )
            for code, rows in QUEUED.items()
        ),
    ]
