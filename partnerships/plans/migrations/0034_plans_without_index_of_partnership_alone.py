"""Drop the index of a plan's partnership, because two other indexes begin with the partnership."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Drop the index in a transaction. The migration before this one built the others outside a transaction."""

    dependencies: ClassVar = [("plans", "0033_index_what_waits")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="plan",
            name="partnership",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="plans",
                to="agreements.partnership",
            ),
        ),
    ]
