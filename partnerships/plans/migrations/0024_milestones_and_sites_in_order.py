"""Indexes in the order of the lists of milestones and sites."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # as the operations need it
    dependencies = [("plans", "0023_fill_documents_of_newest_versions")]

    operations = [
        AddIndexConcurrently("milestone", models.Index(fields=["due_by", "id"], name="milestone_in_order")),
        AddIndexConcurrently("site", models.Index(fields=["name", "id"], name="site_in_order")),
    ]
