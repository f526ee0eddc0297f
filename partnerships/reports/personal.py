"""Rules for erasing and exporting the personal data in reports."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule("reports.FrozenReport", "frozen_by", ErasureAction.KEEP, "reports that they froze", ("name", "frozen_at")),
    Rule(
        "reports.Schedule",
        "created_by",
        ErasureAction.KEEP,
        "scheduled reports that they set up",
        ("name", "created_at"),
    ),
    Rule(
        "reports.ReportFile", "person", ErasureAction.DELETE, "files of reports they asked for", ("report", "asked_at")
    ),
    Rule("reports.Recipient", "person", ErasureAction.DELETE, "scheduled reports that they get", ("since",)),
)
