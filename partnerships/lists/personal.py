"""Personal data in this room, for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("lists.SavedView", "owner", Fate.DELETE, "their saved views", ("kind", "name", "state", "created_at")),
    Rule("lists.DefaultView", "person", Fate.DELETE, "which view their list opens with", ("kind",)),
    Rule("lists.Follow", "person", Fate.DELETE, "which views they follow", ("since",)),
    Rule("lists.ListFile", "person", Fate.DELETE, "files of lists they asked for", ("kind", "form", "asked_at")),
)
