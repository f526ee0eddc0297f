"""Personal data rules for erasure and export. Anonymous answers cannot be linked to a person."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule(
        "surveys.Round",
        "moderator",
        Fate.KEEP,
        "who read the comments of a survey",
        ("title", "closes_on", "moderator_agreed_at"),
    ),
    Rule("surveys.Joining", "asked_by", Fate.CLEAR, "which partnerships they asked to join a survey", ("asked_at",)),
    Rule("surveys.Joining", "accepted_by", Fate.CLEAR, "surveys that a partnership joined", ("accepted_at",)),
    Rule("surveys.Invitation", "person", Fate.DELETE, "surveys that they are asked to answer", ("group",)),
    Rule("surveys.Invitation", "invited_by", Fate.CLEAR, "who they invited to a survey", ("group",)),
    Rule(
        "surveys.NamedAnswer", "person", Fate.KEEP, "answers to surveys by name", ("scores", "comments", "answered_on")
    ),
    Rule("surveys.Action", "added_by", Fate.KEEP, "actions that they linked to results", ("theme", "added_at")),
)
