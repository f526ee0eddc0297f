"""Fill the copies of old sides, and index them.

New rows have been filled since the migration before this one, whichever code writes them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

FILL = """
UPDATE conversations_side s SET status = c.status, held_on = c.held_on FROM conversations_conversation c
 WHERE c.id = s.conversation_id AND (s.status, s.held_on) IS DISTINCT FROM (c.status, c.held_on);
"""


class Migration(migrations.Migration):
    """The database copies the conversation's day and status again, so what is written matters little."""

    dependencies: ClassVar = [("conversations", "0013_copies_for_sides")]

    operations: ClassVar = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="side",
            index=models.Index(
                fields=["organisation", "-held_on", "-conversation"], include=("status",), name="side_by_day"
            ),
        ),
        migrations.AddIndex(
            model_name="side",
            index=models.Index(
                fields=["organisation", "conversation"],
                condition=models.Q(("agreed_at", None), ("status__in", ("circulated", "corrected"))),
                name="side_asked_to_agree",
            ),
        ),
        # Without their own indexes: PostgreSQL preferred these to the ones that begin with them and need no row.
        migrations.AlterField(
            model_name="side",
            name="conversation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="sides",
                to="conversations.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="side",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="conversation_sides",
                to="organisations.organisation",
            ),
        ),
    ]
