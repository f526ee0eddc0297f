"""Index which organisations have asked through a partnership, concurrently."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    """Build the index so that the balance of asks and offers finds partners without reading asks."""

    atomic = False  # as the index needs it
    dependencies: ClassVar = [("exchange", "0021_index_what_waits")]

    operations: ClassVar = [
        BuildIndexConcurrently(
            "entry",
            models.Index(
                fields=["partnership", "organisation"],
                condition=models.Q(("audience", "partnership"), ("direction", "ask"), ("shared_at__isnull", False)),
                name="entry_askers",
            ),
        ),
    ]
