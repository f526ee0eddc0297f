"""The service that marks a meeting "Tell stakeholders", or removes the mark."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.rights import rights_over
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Meeting
from partnerships.conversations.services.meetings.recording import lock_meeting, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User

ONLY_LEADS = "Only leads of organisations in the partnership can choose what we tell stakeholders."


@transaction.atomic
def mark_meeting_for_stakeholders(*, meeting: Meeting, tell: bool, author: User, now: dt.datetime) -> Meeting:
    """Mark a meeting for stakeholders, or remove the mark.

    Stakeholders who follow the partnership then get the meeting's title, date and status in their digests.
    """
    meeting = lock_meeting(meeting)
    require(rights_over(meeting.partnership, author, now).may_tell_stakeholders, ONLY_LEADS)
    if meeting.tells_stakeholders != tell:
        meeting.tells_stakeholders = tell
        meeting.save(update_fields=["tells_stakeholders"])
        event = EventKind.MEETING_MARKED if tell else EventKind.MEETING_UNMARKED
        record_event(meeting, event, author=author, organisation=None, now=now)
    return meeting
