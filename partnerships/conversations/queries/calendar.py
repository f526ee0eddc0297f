"""Calendar entries for meetings, conversations, next contacts, and days on which progress reports are due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from partnerships.activity.queries import Revision, revisions_of
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import (
    Conversation,
    ConversationQuerySet,
    Meeting,
    MeetingQuerySet,
    Report,
    Status,
)
from partnerships.kit.calendars import CalendarEntry, CalendarKind, CalendarSource
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: Events that change the calendar entry of a meeting: its time, the people invited, or whether it was called off.
_MEETING_REVISION_EVENTS = (EventKind.MEETING_PLANNED, EventKind.MEETING_CHANGED, EventKind.MEETING_CALLED_OFF)


def _meetings(user: User, partnership_ids: list[int]) -> MeetingQuerySet:
    """Return the meetings of these partnerships, or else those to which the person is invited."""
    meetings = Meeting.objects.with_party_of(user).select_related("partnership", "organisation").order_by("pk")
    if partnership_ids:
        return meetings.filter(partnership__in=partnership_ids)
    return meetings.filter(pk__in=Meeting.objects.filter(seats__person=user).values("pk"))


def dates_of_meetings(user: User, meeting_ids: Collection[int]) -> list[CalendarEntry]:
    """Return the meetings with these ids that the person may read."""
    readable = (
        Meeting.objects.with_party_of(user).filter(pk__in=meeting_ids).select_related("partnership", "organisation")
    )
    return entries_of_meetings(list(readable.order_by("pk")))


def entries_of_meetings(meetings: Sequence[Meeting]) -> list[CalendarEntry]:
    """Return the entries of these meetings, with one query. Needs `partnership` and `organisation` fetched."""
    revisions = revisions_of([meeting.pk for meeting in meetings], "meeting", events=_MEETING_REVISION_EVENTS)
    entries = []
    for meeting in meetings:
        revision = revisions.get(meeting.pk, Revision(number=0, at=meeting.created_at))
        entries.append(_meeting_entry(meeting, revision))
    return entries


def _meeting_entry(meeting: Meeting, revision: Revision) -> CalendarEntry:
    """Return the calendar entry of a meeting. A meeting that was called off has a cancelled entry."""
    note = f"Arranged by {meeting.organisation.display_name}."
    if meeting.link:
        note = f"{note}\n{meeting.link}"
    return CalendarEntry(
        kind=CalendarKind.MEETING,
        key=f"meeting-{meeting.pk}",
        title=f"Called off: {meeting.title}" if meeting.is_called_off else meeting.title,
        path=meeting.get_absolute_url(),
        starts=meeting.starts_at,
        minutes=meeting.minutes,
        place=meeting.location,
        note=note,
        within=meeting.partnership.title,
        partnership=meeting.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=meeting.is_called_off,
    )


def _reports(user: User, partnership_ids: list[int]) -> QuerySet[Report]:
    """Return the progress reports of these partnerships, or else those of the person's organisations."""
    readable = Report.objects.visible_to(user)
    if partnership_ids:
        readable = readable.filter(round__partnership__in=partnership_ids)
    else:
        readable = readable.filter(party__organisation__in=Organisation.objects.of_person(user))
    return readable.for_listing().defer("questions", "answers", "touches").order_by("pk")


def _entries_of_reports(reports: list[Report]) -> list[CalendarEntry]:
    """Return the days on which these progress reports are due."""
    revisions = revisions_of([report.pk for report in reports], "progress_report")
    entries = []
    for report in reports:
        revision = revisions.get(report.pk, Revision(number=0, at=report.opened_at))
        entries.append(_report_entry(report, revision))
    return entries


def _report_entry(report: Report, revision: Revision) -> CalendarEntry:
    """Return the calendar entry of the day on which a report is due."""
    return CalendarEntry(
        kind=CalendarKind.DUE,
        key=f"report-{report.pk}",
        title=f"Report of {report.party.organisation.display_name} for {report.period_words} due",
        path=report.get_absolute_url(),
        starts=report.due_on,
        note=report.get_status_display(),
        within=report.round.partnership.title,
        partnership=report.round.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=report.is_waived,
    )


def _conversations(user: User, partnership_ids: list[int]) -> ConversationQuerySet:
    """Return the conversations of these partnerships, or else those that the person's organisations keep."""
    readable = _readable_conversations(user)
    if partnership_ids:
        return readable.filter(partnership__in=partnership_ids)
    return readable.filter(organisation__in=Organisation.objects.of_person(user))


def dates_of_conversations(user: User, conversation_ids: Collection[int]) -> list[CalendarEntry]:
    """Return the conversations with these ids that the person may read, and their next contacts."""
    return _entries(list(_readable_conversations(user).filter(pk__in=conversation_ids)))


def _readable_conversations(user: User) -> ConversationQuerySet:
    """Return the conversations that the person may read, without their text."""
    readable = Conversation.objects.visible_to(user)
    return readable.select_related("partnership", "meeting").defer("said").order_by("pk")


def _entries(conversations: list[Conversation]) -> list[CalendarEntry]:
    """Return the calendar entries of these conversations and of their next contacts."""
    revisions = revisions_of([conversation.pk for conversation in conversations], "conversation")
    entries = []
    for conversation in conversations:
        revision = revisions.get(conversation.pk, Revision(0, conversation.created_at))
        # Minutes need no entry, because the meeting has one.
        if not hasattr(conversation, "meeting"):
            entries.append(_conversation_entry(conversation, revision))
        if conversation.next_contact_on is not None:
            entries.append(_next_contact(conversation, conversation.next_contact_on, revision))
    return entries


def _conversation_entry(conversation: Conversation, revision: Revision) -> CalendarEntry:
    """Return the calendar entry of the day of a conversation."""
    return CalendarEntry(
        kind=CalendarKind.MEETING,
        key=f"conversation-{conversation.pk}",
        title=f"Conversation: {conversation.subject}",
        path=conversation.get_absolute_url(),
        starts=conversation.held_on,
        note=conversation.get_format_display(),
        within=conversation.partnership.title if conversation.partnership else "",
        partnership=conversation.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=conversation.status == Status.CANCELLED,
    )


def _next_contact(conversation: Conversation, day: dt.date, revision: Revision) -> CalendarEntry:
    """Return the calendar entry of the day of the next contact that a conversation plans."""
    return CalendarEntry(
        kind=CalendarKind.DUE,
        key=f"next-contact-{conversation.pk}",
        title=f"Next contact about: {conversation.subject}",
        path=conversation.get_absolute_url(),
        starts=day,
        within=conversation.partnership.title if conversation.partnership else "",
        partnership=conversation.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=conversation.status == Status.CANCELLED,
    )


SOURCES = (
    CalendarSource(_meetings, entries_of_meetings),
    CalendarSource(_reports, _entries_of_reports),
    CalendarSource(_conversations, _entries),
)
