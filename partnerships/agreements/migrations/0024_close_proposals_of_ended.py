"""Close drafts, and terms awaiting signatures, of partnerships that are over.

Services have closed them since, when a partnership ends.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations
from django.utils import timezone

REASONS = {"ended": "The partnership has ended.", "renewed": "The partnership was renewed."}


def close(apps: Any, schema_editor: Any) -> None:
    """Close open proposals; nobody gets an email."""
    del schema_editor
    over = apps.get_model("agreements", "Partnership").objects.filter(status__in=list(REASONS)).order_by("pk")
    proposals = apps.get_model("agreements", "TermsProposal").objects.filter(status__in=["drafting", "awaiting"])
    for partnership, status in over.values_list("pk", "status"):
        open_proposals = proposals.filter(partnership_id=partnership)
        open_proposals.update(status="not_agreed", outcome=REASONS[status], decided_at=timezone.now())


class Migration(migrations.Migration):
    """Change rows only, no tables."""

    dependencies: ClassVar = [("agreements", "0023_sign_terms_after_declining")]

    operations: ClassVar = [migrations.RunPython(close, migrations.RunPython.noop)]
