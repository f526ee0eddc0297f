"""What happens to personal data of this room when a person is erased or exports their data."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule("transfer.ImportJob", "asked_by", ErasureAction.KEEP, "who started an import", ("asked_at",)),
    Rule(
        "transfer.ImportRun", "by", ErasureAction.KEEP, "who imported a list", ("register", "file_name", "started_at")
    ),
    Rule(
        "transfer.KnownHeading",
        "confirmed_by",
        ErasureAction.KEEP,
        "who matched a heading to a column",
        ("heading", "confirmed_at"),
    ),
    Rule(
        "transfer.Doubt",
        "answered_by",
        ErasureAction.KEEP,
        "who decided which organisation a row means",
        ("answer", "answered_at"),
    ),
)
