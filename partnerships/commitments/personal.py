"""Personal data rules for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule("commitments.Commitment", "owner", ErasureAction.KEEP, "who owned it", ("reference", "due_on", "status")),
    Rule("commitments.Commitment", "proposed_by", ErasureAction.KEEP, "who proposed it", ("reference", "proposed_at")),
    Rule(
        "commitments.Commitment", "giver_confirmed_by", ErasureAction.KEEP, "who confirmed to give it", ("reference",)
    ),
    Rule(
        "commitments.Commitment",
        "receiver_confirmed_by",
        ErasureAction.KEEP,
        "who confirmed to receive it",
        ("reference",),
    ),
    Rule("commitments.Commitment", "escalated_to", ErasureAction.KEEP, "who it was escalated to", ("reference",)),
    Rule("commitments.Commitment", "done_by", ErasureAction.KEEP, "who reported it done", ("reference", "done_at")),
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
    Rule("commitments.Evidence", "added_by", ErasureAction.KEEP, "who attached it", ("title", "file_name", "added_at")),
    Rule("commitments.Reminder", "person", ErasureAction.DELETE, "which reminders they got", ("due_on", "sent_at")),
)
