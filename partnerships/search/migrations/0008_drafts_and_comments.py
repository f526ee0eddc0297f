"""Follow drafts of plans and comments on plans, and queue existing ones."""

from django.db import migrations

from partnerships.search.triggers import create_trigger_sql, drop_trigger_sql

COLUMNS = ("plans_comment.id", "plans_draft.id")
# Each source and the rows to queue.
QUEUED = {
    "comment": "plans_comment",
    "draft": "plans_draft WHERE content IS NOT NULL",
}


class Migration(migrations.Migration):
    # Each trigger locks its table for a moment. Every step may run again.
    atomic = False
    dependencies = [
        ("search", "0007_frozen_reports"),
        ("plans", "0021_addresses_of_sites"),
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
