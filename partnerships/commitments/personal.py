"""Personal data rules for erasure and export."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("commitments.Commitment", "owner", Fate.KEEP, "who owned it", ("reference", "due_on", "status")),
    Rule("commitments.Commitment", "proposed_by", Fate.KEEP, "who proposed it", ("reference", "proposed_at")),
    Rule("commitments.Commitment", "giver_confirmed_by", Fate.KEEP, "who confirmed to give it", ("reference",)),
    Rule("commitments.Commitment", "receiver_confirmed_by", Fate.KEEP, "who confirmed to receive it", ("reference",)),
    Rule("commitments.Commitment", "escalated_to", Fate.KEEP, "who it was escalated to", ("reference",)),
    Rule("commitments.Commitment", "done_by", Fate.KEEP, "who reported it done", ("reference", "done_at")),
    Rule("commitments.Commitment", "verified_by", Fate.KEEP, "who verified the delivery", ("reference", "verified_at")),
    Rule("commitments.Slippage", "by", Fate.KEEP, "who changed the due date", ("was", "now", "reason", "at")),
    Rule("commitments.Progress", "by", Fate.KEEP, "who reported progress", ("delivered", "status", "note", "at")),
    Rule("commitments.Evidence", "added_by", Fate.KEEP, "who attached it", ("title", "file_name", "added_at")),
    Rule("commitments.Reminder", "person", Fate.DELETE, "which reminders they got", ("due_on", "sent_at")),
)
