"""Index documents in the order of their list."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    atomic = False  # as the operation needs it
    dependencies = [("plans", "0028_reword_help_texts")]

    operations = [
        BuildIndexConcurrently(
            "document",
            models.Index(fields=["added_at", "id"], name="plan_document_in_order", condition=Q(in_newest=True)),
        ),
    ]
