"""Who gets a letter when an answer comes to its next step: the side of the entry, and the side that answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from partnerships.exchange import emails
from partnerships.exchange.models import Entry, Introduction, Question, Receipt, Response
from partnerships.exchange.queries.rights import who_wrote_or_leads
from partnerships.kit.letters import told_by_letter
from partnerships.organisations.queries import leads_with_account
from partnerships.people.models import User


def tell_of_response(response: Response, author: User) -> str:
    """Tell the entry's side that it was answered. Returns words about who got a letter."""
    return _send(_own_side(response.entry), author, lambda one: emails.send_response(response, one, author=author))


def tell_of_decline(receipt: Receipt, author: User) -> str:
    """Tell the entry's side that somebody who was asked says no."""
    return _send(_own_side(receipt.entry), author, lambda one: emails.send_declined(receipt, one, author=author))


def tell_of_question(question: Question, author: User) -> str:
    """Tell the entry's side that somebody asks back."""
    return _send(_own_side(question.entry), author, lambda one: emails.send_question(question, one, author=author))


def tell_of_reply(question: Question, author: User) -> str:
    """Tell whoever asked back that there is an answer."""
    people = who_wrote_or_leads(question.author_id, question.organisation_id)
    return _send(people, author, lambda one: emails.send_question_answered(question, one, author=author))


def tell_of_decisions(responses: Iterable[Response], author: User) -> str:
    """Tell whoever answered whether it is accepted."""
    return "".join(tell_of_decision(response, author) for response in responses)


def tell_of_decision(response: Response, author: User) -> str:
    """The same of one answer."""
    people = who_wrote_or_leads(response.author_id, response.organisation_id)
    return _send(people, author, lambda one: emails.send_decision(response, one, author=author))


def tell_of_introduction(introduction: Introduction, author: User) -> str:
    """Tell the leads of both sides, each from its own; nobody twice."""
    ask, offer = introduction.ask, introduction.offer
    told = ""
    for own, other in ((ask, offer), (offer, ask)):
        leads = leads_with_account([own.organisation_id])
        if own is offer:
            leads = leads.exclude(pk__in=leads_with_account([ask.organisation_id]).values("pk"))
        told += _send(leads, author, _introducing(introduction, own, other, author))
    return told


def _introducing(introduction: Introduction, own: Entry, other: Entry, author: User) -> Callable[[User], bool]:
    return lambda one: emails.send_introduction(introduction, one, own=own, other=other, author=author)


def _own_side(entry: Entry) -> Iterable[User]:
    return who_wrote_or_leads(entry.created_by_id, entry.organisation_id)


def _send(people: Iterable[User], author: User, letter: Callable[[User], bool]) -> str:
    """Write to each of them but the author; ` Ben West got a letter.`, or nothing where nobody did."""
    told = [person.display_name for person in people if person.pk != author.pk and letter(person)]
    return told_by_letter(told)
