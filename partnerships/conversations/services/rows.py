"""What every service here needs: the row under lock, who acts for whom, and the line in the timeline."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.conversations.models import Conversation
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User


def locked(conversation: Conversation) -> Conversation:
    """The conversation as it stands, its row locked until the transaction ends."""
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related("organisation", "partnership")
        .get(pk=conversation.pk)
    )


def edits_for(person: User, organisation: Organisation) -> bool:
    """Whether the person edits for the organisation today."""
    mine = Membership.objects.current().of_person(person, *EDITING_ROLES)
    return mine.filter(organisation=organisation).exists()


def note(
    conversation: Conversation,
    verb: str,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Write a line in the conversation's timeline, and in its partnership's; never what was said."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        verb=verb,
        target_kind="conversation",
        target_id=conversation.pk,
        within_kind="partnership" if conversation.partnership_id else "",
        within_id=conversation.partnership_id,
        now=now,
        data={"title": conversation.subject, **data},
    )
