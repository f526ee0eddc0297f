"""Letters of the exchange: what is asked, answered, decided, newly fits a saved filter, or is about to lapse."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from partnerships.exchange.models import Entry, Introduction, Question, Receipt, Response, SavedFilter
from partnerships.kit.dates import long_date
from partnerships.kit.letters import link, send_letter
from partnerships.people.models import User


def send_new_fits(saved: SavedFilter, entries: Sequence[Entry], count: int) -> bool:
    """Tell a person which new asks and offers fit a filter they keep, of `count` in all; whether the server took it."""
    context = {
        "saved": saved,
        "entries": [(entry, link("exchange:detail", pk=entry.pk)) for entry in entries],
        "count": count,
        "more": count - len(entries),
        "board": f"{settings.SITE_ORIGIN}{saved.get_absolute_url()}",
        "manage": link("exchange:saved"),
    }
    return send_letter(to=saved.person.email, template="exchange/new_fits", context=context)


def send_closing_soon(entry: Entry, person: User, *, own: bool) -> bool:
    """Remind somebody that an unanswered entry is about to lapse: its own side, or those it asks."""
    context = {"entry": entry, "person": person, "own": own, "link": link("exchange:detail", pk=entry.pk)}
    return send_letter(to=person.email, template="exchange/closing_soon", context=context)


def send_referred(entry: Entry, person: User, *, author: User) -> bool:
    """Tell a colleague that an ask or offer is theirs to answer. The word to them is on its page alone."""
    context = {"entry": entry, "person": person, "author": author, "link": link("exchange:detail", pk=entry.pk)}
    return send_letter(to=person.email, template="exchange/referred", context=context)


def send_asked(entry: Entry, person: User) -> bool:
    """Tell a lead of an organisation that is asked, by name or as a party, what was shared. Needs `organisation`."""
    does = "asks" if entry.is_ask else "offers"
    return _send_turn(
        entry,
        person,
        heading=f"{entry.organisation.display_name} {does}: {entry.title}",
        words=f"{entry.organisation.display_name} shared this {_word(entry)} with your organisation"
        + (f" and wants answers by {long_date(entry.closes_on)}." if entry.closes_on else "."),
        action="Read and answer it",
    )


def send_response(response: Response, person: User, *, author: User) -> bool:
    """Tell the side of an entry that it was answered; what the answer says is on its page."""
    entry, body = response.entry, response.organisation.display_name
    return _send_turn(
        entry,
        person,
        author=author,
        heading=f"{body} answered your {_word(entry)}: {entry.title}",
        words=f"{author.display_name} answered your {_word(entry)} for {body}. It waits for your decision.",
        action="Read it and decide",
        anchor=f"response-{response.pk}",
    )


def send_declined(receipt: Receipt, person: User, *, author: User) -> bool:
    """Tell the side of an entry that an organisation that was asked says no; the reason is on its page."""
    entry, body = receipt.entry, receipt.organisation.display_name
    return _send_turn(
        entry,
        person,
        author=author,
        heading=f"{body} declines: {entry.title}",
        words=f"{author.display_name} declines your {_word(entry)} for {body}, and gives the reason.",
        action="Read the reason",
    )


def send_question(question: Question, person: User, *, author: User) -> bool:
    """Tell the side of an entry that somebody asks back before they answer."""
    entry, body = question.entry, question.organisation.display_name
    return _send_turn(
        entry,
        person,
        author=author,
        heading=f"{body} has a question: {entry.title}",
        words=f"{author.display_name} asks something for {body} before they answer your {_word(entry)}.",
        action="Answer the question",
        anchor=f"question-{question.pk}",
    )


def send_question_answered(question: Question, person: User, *, author: User) -> bool:
    """Tell whoever asked back that there is an answer."""
    entry = question.entry
    return _send_turn(
        entry,
        person,
        author=author,
        heading=f"{entry.organisation.display_name} answered your question: {entry.title}",
        words=f"{author.display_name} answered what you asked about this {_word(entry)}.",
        action="Read the answer",
        anchor=f"question-{question.pk}",
    )


def send_decision(response: Response, person: User, *, author: User) -> bool:
    """Tell whoever answered whether it is accepted; a reason is on its page."""
    entry = response.entry
    said = "accepted" if response.is_accepted else "declined"
    follows = (
        " Make it a commitment that both sides confirm." if response.is_accepted else " The reason is on its page."
    )
    return _send_turn(
        entry,
        person,
        author=author,
        heading=f"{entry.organisation.display_name} {said} your answer: {entry.title}",
        words=f"{author.display_name} {said} your answer to this {_word(entry)}.{follows}",
        action="Open the answer",
        anchor=f"response-{response.pk}",
    )


def send_introduction(introduction: Introduction, person: User, *, own: Entry, other: Entry, author: User) -> bool:
    """Tell a side of a pair that somebody suggests the two should talk; what was written with it is on its page."""
    return _send_turn(
        own,
        person,
        author=author,
        heading=f"{introduction.organisation.display_name} suggests that you talk to {other.organisation.display_name}",
        words=f"{author.display_name} thinks that your {_word(own)} and what {other.organisation.display_name} "
        f"{'asks' if other.is_ask else 'offers'}, “{other.title}”, fit.",
        action="See both and answer",
        anchor="introductions",
    )


def _word(entry: Entry) -> str:
    return "ask" if entry.is_ask else "offer"


def _send_turn(
    entry: Entry,
    person: User,
    *,
    heading: str,
    words: str,
    action: str,
    author: User | None = None,
    anchor: str = "",
) -> bool:
    """A letter about an entry's next step: who did what and whose turn it is. Needs the organisation fetched."""
    href = link("exchange:detail", pk=entry.pk) + (f"#{anchor}" if anchor else "")
    return send_letter(
        to=person.email,
        template="exchange/turn",
        context={"person": person, "entry": entry, "heading": heading, "words": words, "action": action, "href": href},
        reply_to=author.email if author else "",
    )
