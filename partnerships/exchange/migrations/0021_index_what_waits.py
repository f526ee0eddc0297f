"""Index the asks and offers that the parties of a partnership have yet to answer, concurrently."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    """Include the columns that My work shows, so that it need not read the rows."""

    atomic = False  # as the indexes need it
    dependencies: ClassVar = [("exchange", "0020_reword_help_of_codes")]

    operations: ClassVar = [
        BuildIndexConcurrently(
            "entry",
            models.Index(
                fields=["partnership"],
                include=("id", "organisation", "title", "shared_at", "closes_on", "status"),
                condition=models.Q(
                    ("audience", "partnership"), ("is_open", True), ("shared_at__isnull", False), ("standing", False)
                ),
                name="entry_to_answer",
            ),
        ),
    ]
