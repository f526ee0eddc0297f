"""Drop the indexes of a side's conversation alone and of its organisation alone.

PostgreSQL preferred them to the indexes that begin with the same column and need no look-up in the table.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Drop the indexes in a transaction. The migration before this one built the others outside a transaction."""

    dependencies: ClassVar = [("conversations", "0014_index_sides")]

    operations: ClassVar = [
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
