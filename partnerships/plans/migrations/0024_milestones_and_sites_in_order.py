"""Index milestones and sites in the order of their lists."""

from __future__ import annotations

from django.db import migrations, models

from partnerships.kit.indexes import BuildIndexConcurrently


class Migration(migrations.Migration):
    atomic = False  # as the operations need it
    dependencies = [("plans", "0023_fill_documents_of_newest_versions")]

    operations = [
        BuildIndexConcurrently("milestone", models.Index(fields=["due_by", "id"], name="milestone_in_order")),
        BuildIndexConcurrently("site", models.Index(fields=["name", "id"], name="site_in_order")),
    ]
