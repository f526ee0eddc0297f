"""Helpers of the services for conversations: locks and events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Conversation, Point
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def lock_conversation(conversation: Conversation) -> Conversation:
    """Lock a conversation, and return it as stored with its organisation and partnership."""
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
    """Record an event on the conversation and its partnership. The event must not quote what was said.

    - Events of a draft are only ever seen by the organisation that keeps the record, even after it is circulated.
    - If the record does not name people, only the organisation that acted sees who did it. The other organisations
      see a second event, which has only what the attribution allows.
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
    """Record the same event for the other organisations, without the person.

    In an anonymous record, the event does not name the organisation either. The exception is the organisation that
    keeps the record, because the record's page shows its name anyway. `side` is the organisation whose people do not
    see this event, because they see the full event.
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
    """Record an event about a point. Only people of its own organisation see it, as others may not know whose it is."""
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
