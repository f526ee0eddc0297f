"""Emails about conversations; none contains what was said."""

from __future__ import annotations

import datetime as dt

from partnerships.conversations.models import Conversation
from partnerships.conversations.queries import attendees_with_access
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import Due
from partnerships.people.models import User


def write_circulated(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to an attendee that the record was circulated."""
    conversation = Conversation.objects.select_related("organisation").get(pk=due.params["conversation"])
    if not attendees_with_access(conversation).filter(pk=person.pk).exists():
        return "They can no longer read the record."
    author = User.objects.get(pk=due.params["author"])
    context = {
        "person": person,
        "conversation": conversation,
        "author": author,
        "href": link("conversations:detail", pk=conversation.pk),
    }
    return Content("conversations/circulated", context, reply_to=author.email)
