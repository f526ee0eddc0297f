"""Index planned meetings, and seats without an answer, concurrently."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    """Build the indexes so that My work need not read past meetings."""

    atomic = False  # as the indexes need it
    dependencies: ClassVar = [("conversations", "0016_reword_help_of_meetings")]

    operations: ClassVar = [
        BuildIndexConcurrently(
            "meeting",
            models.Index(
                fields=["partnership", "starts_at"], condition=models.Q(("status", "planned")), name="meeting_planned"
            ),
        ),
        BuildIndexConcurrently(
            "meetingseat",
            models.Index(fields=["person", "meeting"], condition=models.Q(("answer", "")), name="seat_unanswered"),
        ),
    ]
