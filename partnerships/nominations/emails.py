"""Emails about nominations returns. None of them contains a figure of the return.

Each function returns the content of an email, or a sentence that says why the email is no longer sent.
"""

from __future__ import annotations

import datetime as dt

from partnerships.nominations.models import NominationsReturn
from partnerships.nominations.rights import rights_over
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User


def write_return_sent(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks the council to confirm or dispute the lines of a return."""
    nominations_return = _return_of(due)
    # `sendings` is how often the return was sent. This email is about one of these times only.
    if not nominations_return.is_sent or nominations_return.sendings != due.params["sending"]:
        return "The council has decided on the return, or the provider has sent it again."
    if not rights_over(nominations_return.agreement, person, now).may_decide:
        return "The recipient can no longer decide on the return."
    return _content("return_sent", nominations_return, person)


def write_return_decided(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email to the provider that its return was confirmed or disputed."""
    nominations_return = _return_of(due)
    is_decided = nominations_return.is_settled or nominations_return.is_disputed
    if nominations_return.sendings != due.params["sending"] or not is_decided:
        return "The return has been sent again or reopened."
    if not rights_over(nominations_return.agreement, person, now).reads_returns:
        return "The recipient can no longer read the return."
    return _content("return_decided", nominations_return, person)


def write_return_reopened(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email to both sides that a confirmed return was reopened."""
    nominations_return = _return_of(due)
    if nominations_return.sendings != due.params["sending"] or not nominations_return.is_reopened:
        return "The provider has sent the return again."
    if not rights_over(nominations_return.agreement, person, now).reads_returns:
        return "The recipient can no longer read the return."
    # Emails recorded by older code do not say who reopened the return.
    author = User.objects.filter(pk=due.params.get("author", 0)).first()
    return _content("return_reopened", nominations_return, person, author)


def _return_of(due: DueEmail) -> NominationsReturn:
    return NominationsReturn.objects.for_pages().get(pk=due.params["return"])


def _content(template: str, nominations_return: NominationsReturn, person: User, author: User | None = None) -> Content:
    context = {
        "author": author,
        "person": person,
        "nominations_return": nominations_return,
        "partnership": nominations_return.agreement.partnership,
        "council": nominations_return.agreement.council_body,
        "provider": nominations_return.agreement.provider_body,
        "href": link(
            "nominations:return", pk=nominations_return.agreement.partnership_id, number=nominations_return.pk
        ),
    }
    return Content(f"nominations/{template}", context)
