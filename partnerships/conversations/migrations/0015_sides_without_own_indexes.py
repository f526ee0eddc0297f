"""Drop the indexes of a side's conversation and organisation alone.

PostgreSQL preferred these to the ones that begin with them and need no row.
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
