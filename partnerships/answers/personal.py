"""Rules for personal data in answers, and the end of trust when people leave."""

from __future__ import annotations

from partnerships.answers.models import Trust
from partnerships.people.leaving import Leaving
from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "answers.Answer",
        "person",
        ErasureAction.KEEP,
        "who answered a question or commented",
        ("kind", "text", "anchor_label", "status", "made_at"),
    ),
    Rule("answers.Answer", "decided_by", ErasureAction.KEEP, "who decided about an answer", ("decided_at", "reason")),
    Rule(
        "answers.Answer",
        "colleague_email",
        ErasureAction.CLEAR,
        "a colleague that a stakeholder named",
        person_field="colleague_email",
    ),
    Rule(
        "answers.Incoming",
        "person",
        ErasureAction.DELETE,
        "emails from a person that wait for their confirmation",
        ("subject", "text", "status", "received_at"),
    ),
    Rule("answers.PlanQuestion", "asked_by", ErasureAction.KEEP, "who asked a question", ("title", "body", "asked_at")),
    Rule(
        "answers.Trust",
        "person",
        ErasureAction.DELETE,
        "a stakeholder whose answers are shown at once",
        ("set_at", "ended_at"),
    ),
    Rule("answers.Trust", "set_by", ErasureAction.KEEP, "who chose to show their answers at once", ("set_at",)),
    Rule("answers.Trust", "ended_by", ErasureAction.KEEP, "who required approval again", ("ended_at",)),
    Rule(
        "answers.WorkRole",
        "person",
        ErasureAction.DELETE,
        "the role of a stakeholder, in their own words",
        ("title", "changed_at"),
    ),
)


def end_trust_of_leaver(leaving: Leaving) -> int:
    """End all trust in a person whose account is closed, and return how many rows of trust ended."""
    return Trust.objects.current().filter(person=leaving.person).update(ended_at=leaving.now, ended_by=leaving.author)
