"""Index the commitments without an owner. The index is built concurrently, so that nobody has to wait."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    """Build the index so that My work need not read every commitment of an organisation."""

    atomic = False  # as the indexes need it
    dependencies: ClassVar = [("commitments", "0012_reword_help_of_codes")]

    operations: ClassVar = [
        BuildIndexConcurrently(
            "commitment",
            models.Index(
                fields=["owner_organisation", "id"],
                condition=models.Q(
                    ("giver__isnull", False),
                    ("owner", None),
                    ("status__in", ("agreed", "in_progress", "at_risk", "blocked")),
                ),
                name="commitment_ownerless",
            ),
        ),
    ]
