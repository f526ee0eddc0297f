"""Fill the copied columns of old sides, and index them concurrently.

A trigger has filled new rows since the migration before this one, also for rows that old code writes. This migration
may be interrupted and run again.
"""

from __future__ import annotations

from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from partnerships.kit.indexes import BuildIndexConcurrently

#: Conversations in one transaction: whoever writes to one of them waits for its end.
BATCH = 500
#: The conversation before its sides, as services lock them: the trigger on sides would lock it after them.
NEXT = "SELECT id FROM conversations_conversation WHERE id > %s ORDER BY id LIMIT %s FOR SHARE"
FILL = """
UPDATE conversations_side s SET status = c.status, held_on = c.held_on FROM conversations_conversation c
 WHERE c.id = ANY(%s) AND s.conversation_id = c.id
   AND (s.status, s.held_on) IS DISTINCT FROM (c.status, c.held_on)
"""


def fill(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Copy day and status of each conversation to its sides that do not have them."""
    last = 0
    while True:
        with transaction.atomic(schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            cursor.execute(NEXT, [last, BATCH])
            numbers = [number for (number,) in cursor.fetchall()]
            if not numbers:
                return
            cursor.execute(FILL, [numbers])
        last = numbers[-1]


class Migration(migrations.Migration):
    """Update sides: a trigger copies the conversation's day and status again, whatever values are written."""

    atomic = False  # as the indexes need it
    dependencies: ClassVar = [("conversations", "0013_copies_for_sides")]

    operations: ClassVar = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        BuildIndexConcurrently(
            "side",
            models.Index(fields=["organisation", "-held_on", "-conversation"], include=("status",), name="side_by_day"),
        ),
        BuildIndexConcurrently(
            "side",
            models.Index(
                fields=["organisation", "conversation"],
                condition=models.Q(("agreed_at", None), ("status__in", ("circulated", "corrected"))),
                name="side_asked_to_agree",
            ),
        ),
    ]
