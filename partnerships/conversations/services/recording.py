"""Shared by these services: locks and events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Conversation, Point
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def lock_conversation(conversation: Conversation) -> Conversation:
    """The conversation, locked."""
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related("organisation", "partnership")
        .get(pk=conversation.pk)
    )


def record_event(
    conversation: Conversation,
    event: EventKind,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record an event on the conversation and its partnership.

    Never with what was said. Events and subject of a draft stay with its keeper, also after it is circulated. If the
    record is anonymous, the side that acted sees who did it; the others see only what the attribution allows.
    """
    within: tuple[str, int | None] = ("partnership", conversation.partnership_id)
    kind = "conversation"
    if conversation.is_draft:
        within, kind = ("conversation", conversation.pk), "conversation_draft"
    elif organisation is not None and not conversation.names_people:
        kind = "conversation_side"
        _record_for_others(conversation, event, organisation=organisation, now=now, data=data)
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind=kind,
        target_id=conversation.pk,
        within_kind=within[0] if within[1] else "",
        within_id=within[1],
        now=now,
        data={"title": conversation.subject, **data},
    )


def _record_for_others(
    conversation: Conversation, event: EventKind, *, organisation: Organisation, now: dt.datetime, data: dict[str, Any]
) -> None:
    """The same event for the other sides: without the person.

    Also without the organisation if the record is anonymous, unless it is the keeper, which its page names anyway.
    `side` hides this event from readers of the full one.
    """
    is_named = conversation.names_sides or organisation.pk == conversation.organisation_id
    record(
        actor_id=None,
        organisation_id=organisation.pk if is_named else None,
        kind=event,
        target_kind="conversation",
        target_id=conversation.pk,
        within_kind="partnership" if conversation.partnership_id else "",
        within_id=conversation.partnership_id,
        now=now,
        data={
            "title": conversation.subject,
            **data,
            "by": organisation.display_name if is_named else "one of the organisations",
            "side": organisation.pk,
        },
    )


def record_point_event(
    point: Point, event: EventKind, *, author: User, organisation: Organisation, now: dt.datetime, reason: str = ""
) -> None:
    """Record an event that only the point's side may see.

    Others may not know whose point it is.
    """
    record(
        actor_id=author.pk,
        organisation_id=organisation.pk,
        kind=event,
        target_kind="point",
        target_id=point.pk,
        within_kind="conversation",
        within_id=point.conversation_id,
        now=now,
        data={"title": point.conversation.subject, "reason": reason},
    )
