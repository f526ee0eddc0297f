"""Call off the meetings, and waive the reports, of partnerships that are over.

Services call meetings off when a partnership ends or is renewed, and reports can be written after its end. For
partnerships that were over before, nobody gets an email, and nobody is chased for reports that they could not write.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations
from django.db.models import Q
from django.utils import timezone

REASONS = {"ended": "The partnership has ended.", "renewed": "The partnership was renewed."}


def settle(apps: Any, schema_editor: Any) -> None:
    """Call off planned meetings after the last day of their partnership; waive reports that were not submitted."""
    del schema_editor
    meeting, report, round_ = (
        apps.get_model("conversations", name) for name in ("Meeting", "Report", "ReportingRound")
    )
    over = apps.get_model("agreements", "Partnership").objects.filter(status__in=list(REASONS)).order_by("pk")
    for partnership, status, last_day in over.values_list("pk", "status", "ends_on"):
        too_late = Q(starts_at__gte=timezone.now()) | Q(starts_at__date__gt=last_day or timezone.localdate())
        planned = meeting.objects.filter(too_late, status="planned", partnership_id=partnership)
        planned.update(status="called_off", reason=REASONS[status])
        rounds = list(round_.objects.filter(partnership_id=partnership).values_list("pk", flat=True))
        report.objects.filter(status__in=["draft", "returned"], round_id__in=rounds).update(status="waived")


class Migration(migrations.Migration):
    """Change rows only, no tables."""

    dependencies: ClassVar = [
        ("conversations", "0010_tell_stakeholders"),
        ("agreements", "0023_sign_terms_after_declining"),
    ]

    operations: ClassVar = [migrations.RunPython(settle, migrations.RunPython.noop)]
