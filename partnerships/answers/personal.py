"""Personal data in answers: erasure, export, and leaving."""

from __future__ import annotations

from partnerships.answers.models import Trust
from partnerships.people.leaving import Leaving
from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("answers.Answer", "person", Fate.KEEP, "who answered", ("kind", "text", "anchor_label", "status", "made_at")),
    Rule("answers.Answer", "decided_by", Fate.KEEP, "who decided about it", ("decided_at", "reason")),
    Rule(
        "answers.Answer",
        "colleague_email",
        Fate.CLEAR,
        "a colleague that a stakeholder named",
        whose="colleague_email",
    ),
    Rule(
        "answers.Incoming",
        "person",
        Fate.DELETE,
        "emails from them that wait for their confirmation",
        ("subject", "text", "status", "received_at"),
    ),
    Rule("answers.PlanQuestion", "asked_by", Fate.KEEP, "who asked the question", ("title", "body", "asked_at")),
    Rule("answers.Trust", "person", Fate.DELETE, "whose answers are shown at once", ("set_at", "ended_at")),
    Rule("answers.Trust", "set_by", Fate.KEEP, "who trusts them", ("set_at",)),
    Rule("answers.Trust", "ended_by", Fate.KEEP, "who ended it", ("ended_at",)),
    Rule("answers.WorkRole", "person", Fate.DELETE, "what they do, in their own words", ("title", "changed_at")),
)


def end_trust_of_leaver(leaving: Leaving) -> int:
    """End all trust in a person who leaves."""
    return Trust.objects.current().filter(person=leaving.person).update(ended_at=leaving.now, ended_by=leaving.author)
