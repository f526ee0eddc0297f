"""The kinds of email of the exchange, each with the record that its recipient must be able to read."""

from __future__ import annotations

from django.db import models

from partnerships.exchange import emails
from partnerships.exchange.models import Entry, EntryFacilitator, Introduction, Question, Receipt, Response
from partnerships.outbox.groups import NoticeGroup, RecordLookup
from partnerships.people.composing import PersonEmail


def _about(param: str, model: type[models.Model], path: str = "entry") -> RecordLookup:
    """Return the lookup of a record's entry. `param` is the parameter of the email that has the record's id."""
    return RecordLookup(
        kind="entry", param=param, model=model, record_path=path, partnership_path=f"{path}__partnership"
    )


_ENTRY = RecordLookup(kind="entry", param="entry", model=Entry, partnership_path="partnership")

EMAILS = (
    PersonEmail(
        "exchange.asked",
        "Ask or offer to answer",
        emails.write_asked,
        group=NoticeGroup.ASKS,
        about=_ENTRY,
    ),
    PersonEmail(
        "exchange.response",
        "Answer to your ask or offer",
        emails.write_response,
        group=NoticeGroup.ASKS,
        about=_about("response", Response),
    ),
    PersonEmail(
        "exchange.declined",
        "Your ask or offer was declined",
        emails.write_declined,
        group=NoticeGroup.ASKS,
        about=_about("receipt", Receipt),
    ),
    PersonEmail(
        "exchange.referred",
        "Ask or offer referred to you",
        emails.write_referred,
        group=NoticeGroup.ASKS,
        about=_about("receipt", Receipt),
    ),
    PersonEmail(
        "exchange.facilitator",
        "You have been named as the facilitator of an ask or offer",
        emails.write_facilitator,
        group=NoticeGroup.ASKS,
        about=_about("facilitator", EntryFacilitator),
    ),
    PersonEmail(
        "exchange.question",
        "Question about your ask or offer",
        emails.write_question,
        group=NoticeGroup.ASKS,
        about=_about("question", Question),
    ),
    PersonEmail(
        "exchange.question_answered",
        "Answer to your question",
        emails.write_question_answered,
        group=NoticeGroup.ASKS,
        about=_about("question", Question),
    ),
    PersonEmail(
        "exchange.decision",
        "Your answer was accepted or declined",
        emails.write_decision,
        group=NoticeGroup.ASKS,
        about=_about("response", Response),
    ),
    PersonEmail(
        "exchange.introduction",
        "Introduction to another organisation",
        emails.write_introduction,
        group=NoticeGroup.ASKS,
        about=_about("introduction", Introduction, "ask"),
    ),
    PersonEmail(
        "exchange.several",
        "Asks and offers waiting for you",
        emails.write_several,
        group=NoticeGroup.ASKS,
        about=_ENTRY,
    ),
    PersonEmail(
        "exchange.closing_soon",
        "Ask or offer closing soon",
        emails.write_closing_soon,
        group=NoticeGroup.REMINDERS,
        about=_ENTRY,
    ),
)
