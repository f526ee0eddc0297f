"""Fetches the conversation of a page, with the rights of the person."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.conversations.models import Conversation
from partnerships.conversations.rights import Rights, rights_over
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def open_conversation(request: HttpRequest, pk: int) -> tuple[User, Conversation, Rights]:
    """Return the person, a conversation that the person may see, and their rights over it.

    Raises Http404 if there is no such conversation.
    """
    user = signed_in(request)
    conversation = get_object_or_404(Conversation.objects.visible_to(user).for_listing(), pk=pk)
    return user, conversation, rights_over(conversation, user, timezone.now())
