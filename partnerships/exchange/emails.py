"""What emails of the exchange say, and whether their reader may still read it."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from partnerships.exchange.models import Entry, Introduction, Question, Receipt, Response, SavedFilter
from partnerships.exchange.queries.rights import answerable_among
from partnerships.exchange.rights import rights_over
from partnerships.kit.dates import long_date
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import Due
from partnerships.people.models import User

#: How many entries an email about a saved filter names; of the rest it says how many there are.
MAX_ENTRIES = 20
_NO_READER = "They may not read it any more."
_NOTHING_TO_ANSWER = "There is nothing for them to answer any more."


def write_new_fits(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a person which new asks and offers fit a filter they keep."""
    saved = SavedFilter.objects.filter(pk=due.params["filter"], person=person, tells=True).first()
    fitting = Entry.objects.visible_to(person).filter(pk__in=due.params["entries"], is_open=True).for_listing()
    entries = list(fitting.order_by("-shared_at", "-pk")[:MAX_ENTRIES])
    if saved is None or not entries:
        return "Nothing fits any more, or they do not want to be told."
    count = fitting.count()
    context = {
        "saved": saved,
        "entries": [(entry, link("exchange:detail", pk=entry.pk)) for entry in entries],
        "count": count,
        "more": count - len(entries),
        "board": f"{settings.SITE_ORIGIN}{saved.get_absolute_url()}",
        "manage": link("exchange:saved"),
    }
    return Content("exchange/new_fits", context)


def write_closing_soon(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Remind somebody that an unanswered entry is about to lapse: its own side, or those it asks."""
    entry = _entry(due.params["entry"])
    own = due.params["own"]
    if not Entry.objects.unanswered().filter(pk=entry.pk, is_open=True).exists() or entry.closes_on is None:
        return "It has been answered, or is over."
    if not (rights_over(entry, person, now).may_edit if own else _may_answer(entry, person)):
        return _NO_READER
    context = {"entry": entry, "person": person, "own": own, "link": link("exchange:detail", pk=entry.pk)}
    return Content("exchange/closing_soon", context)


def write_referred(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a colleague that an ask or offer is theirs to answer. The word to them is on its page alone."""
    receipt = Receipt.objects.get(pk=due.params["receipt"])
    entry = _entry(receipt.entry_id)
    if receipt.referred_to_id != person.pk or not entry.is_open or not _may_answer(entry, person):
        return _NOTHING_TO_ANSWER
    context = {
        "entry": entry,
        "person": person,
        "author": _author(due),
        "link": link("exchange:detail", pk=entry.pk),
    }
    return Content("exchange/referred", context)


def write_asked(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a lead of an organisation that is asked, by name or as a party, what was shared."""
    entry = _entry(due.params["entry"])
    if not entry.is_open or not _may_answer(entry, person):
        return _NOTHING_TO_ANSWER
    does = "asks" if entry.is_ask else "offers"
    return _turn(
        entry,
        person,
        heading=f"{entry.organisation.display_name} {does}: {entry.title}",
        words=f"{entry.organisation.display_name} shared this {_word(entry)} with your organisation"
        + (f" and wants answers by {long_date(entry.closes_on)}." if entry.closes_on else "."),
        action="Read and answer it",
    )


def write_response(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell the side of an entry that it was answered; what the answer says is on its page."""
    response = _response(due, person)
    if response is None or not response.is_waiting:
        return _NO_READER if response is None else "The answer was decided or withdrawn."
    if not rights_over(response.entry, person, now).may_edit:
        return _NOTHING_TO_ANSWER
    entry, body, author = response.entry, response.organisation.display_name, _author(due)
    return _turn(
        entry,
        person,
        author=author,
        heading=f"{body} answered your {_word(entry)}: {entry.title}",
        words=f"{author.display_name} answered your {_word(entry)} for {body}. It waits for your decision.",
        action="Read it and decide",
        anchor=f"response-{response.pk}",
    )


def write_declined(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell the side of an entry that an organisation that was asked says no; the reason is on its page."""
    receipt = (
        Receipt.objects.visible_to(person)
        .select_related("entry__organisation", "organisation")
        .filter(pk=due.params["receipt"])
        .first()
    )
    if receipt is None or not receipt.is_declined:
        return _NO_READER
    entry, body, author = receipt.entry, receipt.organisation.display_name, _author(due)
    return _turn(
        entry,
        person,
        author=author,
        heading=f"{body} declines: {entry.title}",
        words=f"{author.display_name} declines your {_word(entry)} for {body}, and gives the reason.",
        action="Read the reason",
    )


def write_question(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell the side of an entry that somebody asks back before they answer."""
    question = _question(due, person)
    if question is None or question.is_answered:
        return _NO_READER if question is None else "The question has been answered."
    if not rights_over(question.entry, person, now).may_edit:
        return _NOTHING_TO_ANSWER
    entry, body, author = question.entry, question.organisation.display_name, _author(due)
    return _turn(
        entry,
        person,
        author=author,
        heading=f"{body} has a question: {entry.title}",
        words=f"{author.display_name} asks something for {body} before they answer your {_word(entry)}.",
        action="Answer the question",
        anchor=f"question-{question.pk}",
    )


def write_question_answered(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell the side that asked back that there is an answer."""
    question = _question(due, person)
    if question is None:
        return _NO_READER
    entry, author = question.entry, _author(due)
    return _turn(
        entry,
        person,
        author=author,
        heading=f"{entry.organisation.display_name} answered your question: {entry.title}",
        words=f"{author.display_name} answered what you asked about this {_word(entry)}.",
        action="Read the answer",
        anchor=f"question-{question.pk}",
    )


def write_decision(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell the side that answered whether its answer is accepted; a reason is on its page."""
    response = _response(due, person)
    if response is None:
        return _NO_READER
    entry, author = response.entry, _author(due)
    said = "accepted" if response.is_accepted else "declined"
    follows = (
        " Make it a commitment that both sides confirm." if response.is_accepted else " The reason is on its page."
    )
    return _turn(
        entry,
        person,
        author=author,
        heading=f"{entry.organisation.display_name} {said} your answer: {entry.title}",
        words=f"{author.display_name} {said} your answer to this {_word(entry)}.{follows}",
        action="Open the answer",
        anchor=f"response-{response.pk}",
    )


def write_introduction(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a side of a pair that somebody suggests the two should talk; what was written with it is on its page."""
    introduction = (
        Introduction.objects.visible_to(person)
        .select_related("ask__organisation", "offer__organisation", "organisation")
        .filter(pk=due.params["introduction"])
        .first()
    )
    if introduction is None:
        return _NO_READER
    sides = (introduction.ask, introduction.offer)
    own, other = sides if due.params["side"] == "ask" else sides[::-1]
    author = _author(due)
    if not Entry.objects.visible_to(person).filter(pk=other.pk).exists():
        return _NO_READER
    return _turn(
        own,
        person,
        author=author,
        heading=f"{introduction.organisation.display_name} suggests that you talk to {other.organisation.display_name}",
        words=f"{author.display_name} thinks that your {_word(own)} and what {other.organisation.display_name} "
        f"{'asks' if other.is_ask else 'offers'}, “{other.title}”, fit.",
        action="See both and answer",
        anchor="introductions",
    )


def _entry(pk: int) -> Entry:
    return Entry.objects.select_related("organisation").get(pk=pk)


def _author(due: Due) -> User:
    return User.objects.get(pk=due.params["author"])


def _response(due: Due, person: User) -> Response | None:
    visible = Response.objects.visible_to(person).select_related("entry__organisation", "organisation")
    return visible.filter(pk=due.params["response"]).first()


def _question(due: Due, person: User) -> Question | None:
    visible = Question.objects.visible_to(person).select_related("entry__organisation", "organisation")
    return visible.filter(pk=due.params["question"]).first()


def _may_answer(entry: Entry, person: User) -> bool:
    return bool(answerable_among([entry.pk], person))


def _word(entry: Entry) -> str:
    return "ask" if entry.is_ask else "offer"


def _turn(
    entry: Entry,
    person: User,
    *,
    heading: str,
    words: str,
    action: str,
    author: User | None = None,
    anchor: str = "",
) -> Content | str:
    """An entry's next step: who did what and whose turn it is."""
    if not Entry.objects.visible_to(person).filter(pk=entry.pk).exists():
        return _NO_READER
    href = link("exchange:detail", pk=entry.pk) + (f"#{anchor}" if anchor else "")
    context = {"person": person, "entry": entry, "heading": heading, "words": words, "action": action, "href": href}
    return Content("exchange/turn", context, reply_to=author.email if author else "")
