"""Personal data in this room, for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("spreadsheets.Upload", "by", Fate.KEEP, "who uploaded a spreadsheet", ("kind", "file_name", "started_at")),
    Rule(
        "spreadsheets.OwnHeading",
        "confirmed_by",
        Fate.KEEP,
        "who said what a heading means",
        ("heading", "confirmed_at"),
    ),
)
