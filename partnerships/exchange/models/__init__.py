"""Asks and offers, the answers they get, and matches between them."""

from partnerships.exchange.models.answers import Question, Receipt, Response, ResponseStatus
from partnerships.exchange.models.counts import EntryCount
from partnerships.exchange.models.entries import Addressee, Entry, EntryQuerySet, entry_readers
from partnerships.exchange.models.facilitators import EntryFacilitator
from partnerships.exchange.models.fulfilments import Fulfilment
from partnerships.exchange.models.groups import AnswerGroup
from partnerships.exchange.models.matches import Dismissal, Introduction, Match
from partnerships.exchange.models.routes import ROUTES
from partnerships.exchange.models.themes import Theme, theme_fault, theme_number
from partnerships.exchange.models.words import (
    ANSWERABLE_STATUSES,
    EARLIER_STATUSES,
    FINAL_STATUSES,
    TRANSITIONS,
    UNANSWERED_STATUSES,
    Audience,
    Direction,
    Status,
    status_in_words,
)

__all__ = [
    "ANSWERABLE_STATUSES",
    "EARLIER_STATUSES",
    "FINAL_STATUSES",
    "ROUTES",
    "TRANSITIONS",
    "UNANSWERED_STATUSES",
    "Addressee",
    "AnswerGroup",
    "Audience",
    "Direction",
    "Dismissal",
    "Entry",
    "EntryCount",
    "EntryFacilitator",
    "EntryQuerySet",
    "Fulfilment",
    "Introduction",
    "Match",
    "Question",
    "Receipt",
    "Response",
    "ResponseStatus",
    "Status",
    "Theme",
    "entry_readers",
    "status_in_words",
    "theme_fault",
    "theme_number",
]
