"""The service that starts the minutes of a meeting."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Conversation, Meeting
from partnerships.conversations.rights import rights_over_meetings
from partnerships.conversations.services.contents import Record
from partnerships.conversations.services.drafting import record_conversation
from partnerships.conversations.services.meetings.planning import ONLY_EDITORS
from partnerships.conversations.services.meetings.recording import lock_meeting, record_event
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToWriteMinutes(Exception):
    """Raised if attendance is not recorded, or the minutes exist already."""


@transaction.atomic
def write_minutes(
    *,
    meeting: Meeting,
    record: Record,
    organisation: Organisation,
    author: User,
    now: dt.datetime,
    key: uuid.UUID | None = None,
) -> Conversation:
    """Start the minutes of a meeting, as a conversation that the organisation keeps.

    If the form's `key` was used before, the minutes that were started then are returned.
    Raises `UnableToWriteMinutes`, or `UnableToRecord` if the record is invalid.
    """
    meeting = lock_meeting(meeting)
    require(rights_over_meetings(meeting.partnership, author, now).may_edit_for(organisation), ONLY_EDITORS)
    if not meeting.is_held:
        raise UnableToWriteMinutes("Record who attended first.")
    if meeting.conversation is not None:
        if key is not None and meeting.conversation.key == key:
            return meeting.conversation
        raise UnableToWriteMinutes(
            f"{meeting.conversation.organisation.display_name} has already started the minutes, so you do not need to."
        )
    minutes = record_conversation(organisation=organisation, record=record, author=author, now=now, key=key)
    meeting.conversation = minutes
    meeting.save(update_fields=["conversation"])
    record_event(meeting, EventKind.MINUTES_BEGUN, author=author, organisation=organisation, now=now)
    return minutes
