"""Services that record the emails about each step of an answer, to the people who must act next."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.exchange.models import Entry, EntryFacilitator, Introduction, Question, Receipt, Response
from partnerships.exchange.queries.addressing import author_or_leads
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def email_response(response: Response, *, author: User, now: dt.datetime) -> None:
    """Email the author of an entry that an organisation has answered it."""
    people = _author_of(response.entry)
    _record("response", people, author, now, sender_id=response.organisation_id, response=response.pk)


def email_decline(receipt: Receipt, *, author: User, now: dt.datetime) -> None:
    """Email the author of an entry that an organisation has declined it."""
    people = _author_of(receipt.entry)
    _record("declined", people, author, now, sender_id=receipt.organisation_id, receipt=receipt.pk)


def email_referral(receipt: Receipt, *, author: User, now: dt.datetime) -> None:
    """Email a person that a colleague has referred an entry to them."""
    people = User.objects.filter(pk=receipt.referred_to_id or 0)
    _record("referred", people, author, now, sender_id=receipt.organisation_id, receipt=receipt.pk)


def email_facilitator(facilitator: EntryFacilitator, *, author: User, now: dt.datetime) -> None:
    """Email the person who was named as facilitator of an entry."""
    people = User.objects.filter(pk=facilitator.person_id)
    sender_id = facilitator.entry.organisation_id
    _record("facilitator", people, author, now, sender_id=sender_id, facilitator=facilitator.pk)


def email_question(question: Question, *, author: User, now: dt.datetime) -> None:
    """Email the author of an entry that an organisation has asked a question about it."""
    people = _author_of(question.entry)
    _record("question", people, author, now, sender_id=question.organisation_id, question=question.pk)


def email_question_answered(question: Question, *, author: User, now: dt.datetime) -> None:
    """Email the person who asked a question that it has been answered."""
    people = author_or_leads(question.author_id, question.organisation_id)
    sender_id = question.entry.organisation_id
    _record("question_answered", people, author, now, sender_id=sender_id, question=question.pk)


def email_decision(response: Response, *, author: User, now: dt.datetime) -> None:
    """Email the person who wrote an answer that it was accepted or declined."""
    people = author_or_leads(response.author_id, response.organisation_id)
    _record("decision", people, author, now, sender_id=response.entry.organisation_id, response=response.pk)


def email_introduction(introduction: Introduction, *, author: User, now: dt.datetime) -> None:
    """Email the leads of both organisations. A person who is a lead of both gets only one email."""
    leads_of_ask = leads_with_account([introduction.ask.organisation_id])
    leads_of_offer = leads_with_account([introduction.offer.organisation_id]).exclude(pk__in=leads_of_ask.values("pk"))
    for side, people in (("ask", leads_of_ask), ("offer", leads_of_offer)):
        _record(
            "introduction",
            people,
            author,
            now,
            sender_id=introduction.organisation_id,
            introduction=introduction.pk,
            side=side,
        )


def _author_of(entry: Entry) -> QuerySet[User]:
    """Return the author of an entry or, if the author has left, the leads of the entry's organisation."""
    return author_or_leads(entry.created_by_id, entry.organisation_id)


def _record(
    kind: str, people: QuerySet[User], author: User, now: dt.datetime, *, sender_id: int, **params: int | str
) -> None:
    """Record the emails to these people, but none to the author, who made the change."""
    record_emails(
        kind=f"exchange.{kind}",
        people=people.exclude(pk=author.pk).values_list("pk", flat=True),
        params={**params, "author": author.pk},
        sender_id=sender_id,
        now=now,
    )
