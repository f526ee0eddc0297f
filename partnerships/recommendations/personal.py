"""Personal data rules for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "recommendations.Source",
        "recorded_by",
        ErasureAction.KEEP,
        "who recorded a report",
        ("title", "year", "recorded_at"),
    ),
    Rule("recommendations.Response", "owner", ErasureAction.KEEP, "who owned a response", ("status", "review_on")),
    Rule("recommendations.Evidence", "added_by", ErasureAction.KEEP, "who added evidence", ("words", "added_at")),
    Rule(
        "recommendations.Adoption",
        "proposed_by",
        ErasureAction.KEEP,
        "who proposed to adopt a recommendation",
        ("why", "proposed_at"),
    ),
    Rule("recommendations.Outcome", "linked_by", ErasureAction.KEEP, "who linked an outcome", ("linked_at",)),
)
