"""Personal data in asks and offers, and what happens to it on erasure."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("exchange.Entry", "created_by", Fate.KEEP, "who wrote it", ("title", "created_at")),
    Rule("exchange.Response", "author", Fate.KEEP, "who answered", ("text", "made_at")),
    Rule("exchange.Response", "decided_by", Fate.KEEP, "who decided", ("decided_at",)),
    Rule("exchange.Question", "author", Fate.KEEP, "who asked the question", ("text", "asked_at")),
    Rule("exchange.Question", "answered_by", Fate.KEEP, "who answered", ("answer", "answered_at")),
    Rule("exchange.Receipt", "acknowledged_by", Fate.KEEP, "who marked it as seen", ("acknowledged_at",)),
    Rule("exchange.Receipt", "declined_by", Fate.KEEP, "who declined it", ("reason", "declined_at")),
    Rule("exchange.Receipt", "referred_to", Fate.KEEP, "who it was referred to", ("referred_at",)),
    Rule("exchange.Receipt", "referred_by", Fate.KEEP, "who referred it", ("note", "referred_at")),
    Rule("exchange.EntryFacilitator", "person", Fate.KEEP, "who facilitated it", ("named_at",)),
    Rule("exchange.EntryFacilitator", "named_by", Fate.KEEP, "who named a facilitator", ("named_at",)),
    Rule("exchange.EntryFacilitator", "ended_by", Fate.KEEP, "who ended it", ("ended_at", "end_reason")),
    Rule("exchange.Dismissal", "author", Fate.KEEP, "who dismissed the match", ("reason", "at")),
    Rule("exchange.Introduction", "author", Fate.KEEP, "who suggested it", ("text", "at")),
)
