"""What this room holds about people, and what becomes of it when somebody is erased."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("exchange.Entry", "created_by", Fate.KEEP, "who wrote it", ("title", "created_at")),
    Rule("exchange.Response", "author", Fate.KEEP, "who answered", ("text", "made_at")),
    Rule("exchange.Response", "decided_by", Fate.KEEP, "who decided", ("decided_at",)),
    Rule("exchange.Question", "author", Fate.KEEP, "who asked back", ("text", "asked_at")),
    Rule("exchange.Question", "answered_by", Fate.KEEP, "who answered", ("answer", "answered_at")),
    Rule("exchange.Receipt", "acknowledged_by", Fate.KEEP, "who acknowledged it", ("acknowledged_at",)),
    Rule("exchange.Receipt", "declined_by", Fate.KEEP, "who declined it", ("reason", "declined_at")),
    Rule("exchange.Receipt", "referred_to", Fate.KEEP, "to whom it was referred", ("referred_at",)),
    Rule("exchange.Receipt", "referred_by", Fate.KEEP, "who referred it", ("note", "referred_at")),
    Rule("exchange.Dismissal", "author", Fate.KEEP, "who said that it is no match", ("reason", "at")),
    Rule("exchange.Introduction", "author", Fate.KEEP, "who suggested it", ("text", "at")),
    Rule("exchange.SavedFilter", "person", Fate.DELETE, "their own searches", ("name", "query", "created_at")),
)
