"""Which personal data of asks, offers and answers is erased, and which is exported."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule("exchange.Entry", "created_by", ErasureAction.KEEP, "who wrote an ask or offer", ("title", "created_at")),
    Rule("exchange.Response", "author", ErasureAction.KEEP, "who answered an ask or offer", ("text", "made_at")),
    Rule("exchange.Response", "decided_by", ErasureAction.KEEP, "who decided about an answer", ("decided_at",)),
    Rule("exchange.Question", "author", ErasureAction.KEEP, "who asked a question", ("text", "asked_at")),
    Rule("exchange.Question", "answered_by", ErasureAction.KEEP, "who answered a question", ("answer", "answered_at")),
    Rule(
        "exchange.Receipt",
        "acknowledged_by",
        ErasureAction.KEEP,
        "who marked an ask or offer as seen",
        ("acknowledged_at",),
    ),
    Rule(
        "exchange.Receipt", "declined_by", ErasureAction.KEEP, "who declined an ask or offer", ("reason", "declined_at")
    ),
    Rule(
        "exchange.Receipt",
        "referred_to",
        ErasureAction.KEEP,
        "the colleague an ask or offer was referred to",
        ("referred_at",),
    ),
    Rule(
        "exchange.Receipt", "referred_by", ErasureAction.KEEP, "who referred an ask or offer", ("note", "referred_at")
    ),
    Rule("exchange.EntryFacilitator", "person", ErasureAction.KEEP, "who facilitated an ask or offer", ("named_at",)),
    Rule("exchange.EntryFacilitator", "named_by", ErasureAction.KEEP, "who named a facilitator", ("named_at",)),
    Rule(
        "exchange.EntryFacilitator",
        "ended_by",
        ErasureAction.KEEP,
        "who removed a facilitator",
        ("ended_at", "end_reason"),
    ),
    Rule("exchange.Dismissal", "author", ErasureAction.KEEP, "who dismissed a match", ("reason", "at")),
    Rule("exchange.Introduction", "author", ErasureAction.KEEP, "who suggested an introduction", ("text", "at")),
)
