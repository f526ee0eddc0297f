"""Drop the indexes of a side's conversation alone and of its organisation alone.

PostgreSQL preferred them to the indexes that begin with the same column and need no look-up in the table.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """After the indexes that serve instead were built: those are built outside a transaction, this is done in one."""

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
