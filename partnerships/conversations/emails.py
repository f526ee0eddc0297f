"""The letters of this room: one function a letter. None carries what was said."""

from __future__ import annotations

from partnerships.conversations.models import Conversation
from partnerships.kit.letters import link, send_letter
from partnerships.people.models import User


def send_circulated(*, conversation: Conversation, person: User, author: User) -> bool:
    """Tell somebody who was there that the record waits to be read; whether the server took the letter."""
    return send_letter(
        to=person.email,
        template="conversations/circulated",
        context={
            "person": person,
            "conversation": conversation,
            "author": author,
            "href": link("conversations:detail", pk=conversation.pk),
        },
        reply_to=author.email,
    )
