"""Emails about asks and offers. Each function returns the email, or the reason why it is not sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from partnerships.exchange.models import Entry, EntryFacilitator, Introduction, Question, Receipt, Response
from partnerships.exchange.queries.addressing import ids_answerable_by
from partnerships.exchange.rights import rights_over
from partnerships.organisations.models import Organisation
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User

#: One email lists at most this many entries. The others are only counted.
_MAX_LISTED = 20
_NOT_READABLE = "The recipient can no longer read the ask or offer."
_NOTHING_TO_ANSWER = "The recipient no longer has anything to answer."


def write_closing_soon(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Remind a person on either side that an unanswered entry closes soon."""
    entry = _entry(due.params["entry"])
    own = due.params["own"]
    if not Entry.objects.unanswered().filter(pk=entry.pk, is_open=True).exists() or entry.closes_on is None:
        return "The ask or offer has been answered, or it has ended."
    if not (rights_over(entry, person, now).may_edit if own else _may_answer(entry, person)):
        return _NOT_READABLE
    return _content("closing_soon", entry, person, own=own)


def write_referred(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a person that a colleague referred an entry to them. The colleague's message is only on the page."""
    receipt = Receipt.objects.get(pk=due.params["receipt"])
    entry = _entry(receipt.entry_id)
    if receipt.referred_to_id != person.pk or not entry.is_open or not _may_answer(entry, person):
        return _NOTHING_TO_ANSWER
    return _content("referred", entry, person, author=_author(due))


def write_facilitator(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a person that they were named as facilitator of an ask or offer."""
    facilitator = EntryFacilitator.objects.active().filter(pk=due.params["facilitator"], person=person).first()
    if facilitator is None or not Entry.objects.visible_to(person).filter(pk=facilitator.entry_id).exists():
        return _NOT_READABLE
    entry = _entry(facilitator.entry_id)
    if entry.is_over:
        return "The ask or offer has ended."
    return _content("facilitator", entry, person, author=_author(due))


def write_several(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write one email about several asks and offers that the person should answer, or now facilitates.

    Entries that have been answered or have ended by now, or that the person may not read, are left out.
    """
    is_to_answer, entry_ids = due.params["waits"], due.params["entries"]
    readable = Entry.objects.visible_to(person).filter(pk__in=entry_ids).select_related("organisation")
    if is_to_answer:
        unanswered = Entry.objects.unanswered().filter(pk__in=ids_answerable_by(entry_ids, person), is_open=True)
        readable = readable.filter(pk__in=unanswered.values("pk"))
    else:
        facilitators = EntryFacilitator.objects.active().filter(person=person, entry__in=entry_ids)
        readable = readable.filter(pk__in=facilitators.values("entry"))
    entries = [entry for entry in readable.order_by("shared_at", "pk") if not entry.is_over]
    if not entries:
        return _NOTHING_TO_ANSWER if is_to_answer else _NOT_READABLE
    author = _author(due)
    context = {
        "person": person,
        "author": author,
        "waits": is_to_answer,
        "todo": "to answer" if is_to_answer else "to facilitate",
        "entries": entries[:_MAX_LISTED],
        "count": len(entries),
        "more": max(0, len(entries) - _MAX_LISTED),
        "href": link("exchange:list"),
    }
    return Content("exchange/several", context, reply_to=author.email)


def write_asked(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a lead of an organisation that a new ask or offer is addressed to it."""
    entry = _entry(due.params["entry"])
    if not entry.is_open or not _may_answer(entry, person):
        return _NOTHING_TO_ANSWER
    return _content("asked", entry, person)


def write_response(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to the owner of the entry that an answer needs a decision. The answer itself is only on the page."""
    response = _response(due, person)
    if response is None:
        return _NOT_READABLE
    if not response.is_waiting:
        return "The answer has been accepted, declined or withdrawn."
    if not rights_over(response.entry, person, now).may_edit:
        return _NOTHING_TO_ANSWER
    return _from_author(
        "response", due, response.entry, person, response.organisation, anchor=f"response-{response.pk}"
    )


def write_declined(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to the owner of the entry that an organisation declined. Its reason is only on the page."""
    receipt = (
        Receipt.objects.visible_to(person)
        .select_related("entry__organisation", "organisation")
        .filter(pk=due.params["receipt"])
        .first()
    )
    if receipt is None or not receipt.is_declined or not _is_readable(receipt.entry, person):
        return _NOT_READABLE
    return _from_author("declined", due, receipt.entry, person, receipt.organisation)


def write_question(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to the owner of the entry that an organisation has a question before it answers."""
    question = _question(due, person)
    if question is None:
        return _NOT_READABLE
    if question.is_answered:
        return "The question has been answered."
    if not rights_over(question.entry, person, now).may_edit:
        return _NOTHING_TO_ANSWER
    return _from_author(
        "question", due, question.entry, person, question.organisation, anchor=f"question-{question.pk}"
    )


def write_question_answered(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to the side that asked a question that it has been answered."""
    question = _question(due, person)
    if question is None or not _is_readable(question.entry, person):
        return _NOT_READABLE
    return _from_author(
        "question_answered",
        due,
        question.entry,
        person,
        question.entry.organisation,
        anchor=f"question-{question.pk}",
    )


def write_decision(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to the side that answered that its answer was accepted or declined. The reason is only on the page."""
    response = _response(due, person)
    if response is None or not _is_readable(response.entry, person):
        return _NOT_READABLE
    return _from_author(
        "decision",
        due,
        response.entry,
        person,
        response.entry.organisation,
        anchor=f"response-{response.pk}",
        response=response,
    )


def write_introduction(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to both sides that an organisation suggests that they talk. Its message is only on the page."""
    introduction = (
        Introduction.objects.visible_to(person)
        .select_related("ask__organisation", "offer__organisation", "organisation")
        .filter(pk=due.params["introduction"])
        .first()
    )
    if introduction is None:
        return _NOT_READABLE

    own, other = introduction.ask, introduction.offer
    if due.params["side"] == "offer":
        own, other = other, own
    if not (_is_readable(own, person) and _is_readable(other, person)):
        return _NOT_READABLE
    return _from_author(
        "introduction",
        due,
        own,
        person,
        introduction.organisation,
        anchor="introductions",
        introduction=introduction,
        other=other,
    )


def _entry(pk: int) -> Entry:
    return Entry.objects.select_related("organisation").get(pk=pk)


def _author(due: DueEmail) -> User:
    return User.objects.get(pk=due.params["author"])


def _response(due: DueEmail, person: User) -> Response | None:
    visible = Response.objects.visible_to(person).select_related("entry__organisation", "organisation")
    return visible.filter(pk=due.params["response"]).first()


def _question(due: DueEmail, person: User) -> Question | None:
    visible = Question.objects.visible_to(person).select_related("entry__organisation", "organisation")
    return visible.filter(pk=due.params["question"]).first()


def _is_readable(entry: Entry, person: User) -> bool:
    return Entry.objects.visible_to(person).filter(pk=entry.pk).exists()


def _may_answer(entry: Entry, person: User) -> bool:
    return bool(ids_answerable_by([entry.pk], person))


def _from_author(
    template: str,
    due: DueEmail,
    entry: Entry,
    person: User,
    organisation: Organisation,
    *,
    anchor: str = "",
    **more: Any,
) -> Content:
    """Return an email about what its author did for an organisation. Replies go to the author."""
    author = _author(due)
    content = _content(
        template,
        entry,
        person,
        anchor=anchor,
        author=author,
        organisation=organisation,
        sender=f"{author.display_name} ({organisation.display_name})",
        **more,
    )
    return replace(content, reply_to=author.email)


def _content(template: str, entry: Entry, person: User, *, anchor: str = "", **more: Any) -> Content:
    """Return an email about one entry; its template extends templates/emails/exchange/_entry.

    `anchor` is the part of the entry's page to which the link leads.
    """
    href = link("exchange:detail", pk=entry.pk)
    context = {
        "person": person,
        "entry": entry,
        "kind": entry.get_direction_display().lower(),
        "href": f"{href}#{anchor}" if anchor else href,
        **more,
    }
    return Content(f"exchange/{template}", context)
