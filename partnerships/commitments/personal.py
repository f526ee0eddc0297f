"""Personal data rules for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "commitments.Commitment",
        "owner",
        ErasureAction.KEEP,
        "who owned the commitment",
        ("reference", "due_on", "status"),
    ),
    Rule(
        "commitments.Commitment",
        "proposed_by",
        ErasureAction.KEEP,
        "who proposed the commitment",
        ("reference", "proposed_at"),
    ),
    Rule(
        "commitments.Commitment",
        "giver_confirmed_by",
        ErasureAction.KEEP,
        "who confirmed for the giver",
        ("reference",),
    ),
    Rule(
        "commitments.Commitment",
        "receiver_confirmed_by",
        ErasureAction.KEEP,
        "who confirmed for the receiver",
        ("reference",),
    ),
    Rule(
        "commitments.Commitment", "escalated_to", ErasureAction.KEEP, "the person it was escalated to", ("reference",)
    ),
    Rule(
        "commitments.Commitment",
        "done_by",
        ErasureAction.KEEP,
        "who reported the commitment as done",
        ("reference", "done_at"),
    ),
    Rule(
        "commitments.Commitment",
        "verified_by",
        ErasureAction.KEEP,
        "who verified the delivery",
        ("reference", "verified_at"),
    ),
    Rule("commitments.Slippage", "by", ErasureAction.KEEP, "who changed the due date", ("was", "now", "reason", "at")),
    Rule(
        "commitments.Progress", "by", ErasureAction.KEEP, "who reported progress", ("delivered", "status", "note", "at")
    ),
    Rule(
        "commitments.Evidence",
        "added_by",
        ErasureAction.KEEP,
        "who attached the evidence",
        ("title", "file_name", "added_at"),
    ),
    Rule("commitments.Reminder", "person", ErasureAction.DELETE, "which reminders a person got", ("due_on", "sent_at")),
)
