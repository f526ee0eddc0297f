"""Personal data rules for erasure and export.

Lettings identify homes, never the people who live in them.
"""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "nominations.NominationsReturn", "sent_by", ErasureAction.KEEP, "who sent the return", ("starts_on", "sent_at")
    ),
    Rule("nominations.LettingsRun", "asked_by", ErasureAction.KEEP, "who uploaded lettings", ("file_name", "asked_at")),
    Rule(
        "nominations.ReturnRecord", "sent_by", ErasureAction.KEEP, "who sent a confirmed return", ("number", "sent_at")
    ),
    Rule(
        "nominations.ReturnRecord",
        "confirmed_by",
        ErasureAction.KEEP,
        "who confirmed the return",
        ("number", "confirmed_at"),
    ),
    Rule(
        "nominations.ReturnLine", "decided_by", ErasureAction.KEEP, "who decided on a line", ("decision", "decided_at")
    ),
)
