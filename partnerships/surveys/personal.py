"""Personal data rules for erasure and export. Anonymous answers cannot be linked to a person."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "surveys.Round",
        "moderator",
        ErasureAction.KEEP,
        "who read the comments of a survey",
        ("title", "closes_on", "moderator_agreed_at"),
    ),
    Rule(
        "surveys.Joining",
        "asked_by",
        ErasureAction.CLEAR,
        "which partnerships they asked to join a survey",
        ("asked_at",),
    ),
    Rule("surveys.Joining", "accepted_by", ErasureAction.CLEAR, "surveys that a partnership joined", ("accepted_at",)),
    Rule("surveys.Invitation", "person", ErasureAction.DELETE, "surveys that they are asked to answer", ("group",)),
    Rule("surveys.Invitation", "invited_by", ErasureAction.CLEAR, "who they invited to a survey", ("group",)),
    Rule(
        "surveys.NamedAnswer",
        "person",
        ErasureAction.KEEP,
        "answers to surveys by name",
        ("scores", "comments", "answered_on"),
    ),
    Rule(
        "surveys.Action", "added_by", ErasureAction.KEEP, "actions that they linked to results", ("theme", "added_at")
    ),
)
