"""Personal data rules for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("recommendations.Source", "recorded_by", Fate.KEEP, "who recorded a report", ("title", "year", "recorded_at")),
    Rule("recommendations.Response", "owner", Fate.KEEP, "who owned a response", ("status", "review_on")),
    Rule("recommendations.Evidence", "added_by", Fate.KEEP, "who added evidence", ("words", "added_at")),
    Rule(
        "recommendations.Adoption",
        "proposed_by",
        Fate.KEEP,
        "who proposed to adopt a recommendation",
        ("why", "proposed_at"),
    ),
    Rule("recommendations.Outcome", "linked_by", Fate.KEEP, "who linked an outcome", ("linked_at",)),
)
