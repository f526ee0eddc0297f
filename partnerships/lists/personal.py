"""Personal data in this room, for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("lists.SavedView", "owner", Fate.DELETE, "their saved views", ("kind", "name", "state", "created_at")),
    Rule("lists.DefaultView", "person", Fate.DELETE, "the view with which their list opens", ("kind",)),
    Rule("lists.Follow", "person", Fate.DELETE, "the views that they follow", ("since",)),
    Rule(
        "lists.ListFile", "person", Fate.DELETE, "the files of lists that they asked for", ("kind", "form", "asked_at")
    ),
)
