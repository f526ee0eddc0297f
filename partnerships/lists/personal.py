"""Personal data in this room, for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "lists.SavedView", "owner", ErasureAction.DELETE, "their saved views", ("kind", "name", "state", "created_at")
    ),
    Rule("lists.DefaultView", "person", ErasureAction.DELETE, "the view with which their list opens", ("kind",)),
    Rule("lists.Follow", "person", ErasureAction.DELETE, "the views that they follow", ("since",)),
    Rule(
        "lists.ListFile",
        "person",
        ErasureAction.DELETE,
        "the files of lists that they asked for",
        ("kind", "form", "asked_at"),
    ),
)
