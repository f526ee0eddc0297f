"""Index plans by partnership and by present owner, concurrently."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    """Build the indexes so that checks of rights need not read thousands of plans."""

    atomic = False  # as the indexes need it
    dependencies: ClassVar = [("plans", "0032_reword_help_of_late_signatures")]

    operations: ClassVar = [
        BuildIndexConcurrently("plan", models.Index(fields=["partnership", "id"], name="plan_of_partnership")),
        BuildIndexConcurrently(
            "planowner",
            models.Index(fields=["organisation", "plan"], condition=models.Q(("ended_at", None)), name="owner_present"),
        ),
    ]
