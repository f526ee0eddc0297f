"""Personal data in this room, for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("transfer.ImportJob", "asked_by", Fate.KEEP, "who lets a worker import a register", ("asked_at",)),
    Rule("transfer.ImportRun", "by", Fate.KEEP, "who imported a register", ("register", "file_name", "started_at")),
    Rule(
        "transfer.KnownHeading", "confirmed_by", Fate.KEEP, "who said what a heading means", ("heading", "confirmed_at")
    ),
    Rule("transfer.Doubt", "answered_by", Fate.KEEP, "who decided which body is meant", ("answer", "answered_at")),
)
