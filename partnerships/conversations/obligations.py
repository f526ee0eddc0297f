"""What happens to conversations, meetings and notes when an organisation ends and another succeeds it.

Open conversations and planned meetings pass to the successor. Closed ones stay as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db.models import Count, Q, QuerySet

from partnerships.conversations.models import (
    Conversation,
    Facilitator,
    JournalNote,
    Meeting,
    MeetingStatus,
    PrivateNote,
    Side,
    Status,
)
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    Change,
    Column,
    HeldRecord,
    Obligation,
    RecordMove,
    register_after_move,
    register_following_columns,
    register_obligation,
    register_staying_columns,
)
from partnerships.organisations.services.moving import move_rows

_CLOSED = (Status.AGREED, Status.CANCELLED)
#: The condition that a row's conversation is not closed. Closed conversations do not move, because they are history.
_OPEN = ~Q(conversation__status__in=_CLOSED)


def _open_conversations(organisation: Organisation, _day: dt.date) -> QuerySet[Conversation]:
    """Return the open conversations in which the organisation takes part or whose record it keeps."""
    takes_part = Q(organisation=organisation) | Q(sides__organisation=organisation)
    return Conversation.objects.exclude(status__in=_CLOSED).filter(takes_part).distinct()


def _describe_conversation(conversation: Conversation, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=conversation.pk,
        title=f"Conversation of {long_date(conversation.held_on)}",
        path=conversation.get_absolute_url(),
        what=conversation.get_status_display(),
        generic_title=f"Conversation {conversation.pk}",
    )


def _is_only_with_successor(successor_id: int) -> Q:
    """Return the condition that the only other organisation of a conversation is the successor.

    Such a row stays. If it moved, the successor would have the conversation with itself.
    """
    conversations_of_two = Side.objects.values("conversation").annotate(sides=Count("pk")).filter(sides__lte=2)
    sides_of_successor = Side.objects.filter(
        organisation=successor_id, conversation__in=conversations_of_two.values("conversation")
    )
    return Q(conversation__in=sides_of_successor.values("conversation"))


def _merge_sides(ending_side: Side, _successor_side: Side) -> dict[str, Any]:
    """Return the new values of the successor's row, if it had one already.

    It loses its agreement unless the ending organisation had agreed too.
    """
    return {"agreed_at": None, "agreed_by_id": None} if ending_side.agreed_at is None else {}


CONVERSATIONS = Obligation(
    code="conversations",
    label="Conversations not yet agreed",
    columns=(
        # A trigger refuses changes to an agreed record.
        Column("conversations.Conversation.organisation", never_moves=Q(status=Status.AGREED)),
        Column(
            "conversations.Side.organisation",
            record="conversation",
            only=_OPEN,
            cannot_move_to=_is_only_with_successor,
            deletes_duplicate=True,
            merge_values=_merge_sides,
        ),
        Column(
            "conversations.Attendee.organisation",
            record="conversation",
            only=_OPEN,
            deletes_duplicate=True,
            fields_not_stored=("name", "job_title"),
        ),
        Column(
            "conversations.Point.organisation",
            record="conversation",
            never_moves=Q(conversation__status=Status.AGREED),
        ),
        Column("conversations.NextStep.organisation", record="conversation"),
        Column("conversations.Correction.organisation", record="conversation"),
    ),
    records=_open_conversations,
    describe=_describe_conversation,
)


def _planned_meetings(organisation: Organisation, _day: dt.date) -> QuerySet[Meeting]:
    """Return the planned meetings that the organisation arranges."""
    return Meeting.objects.filter(organisation=organisation, status=MeetingStatus.PLANNED)


def _describe_meeting(meeting: Meeting, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=meeting.pk,
        title=meeting.title,
        path=meeting.get_absolute_url(),
        what="Arranges the meeting",
        generic_title=f"Meeting {meeting.pk}",
    )


_SEATS = Column("conversations.MeetingSeat.organisation", record="meeting")
MEETINGS = Obligation(
    code="meetings",
    label="Planned meetings",
    columns=(
        Column("conversations.Meeting.organisation"),
        _SEATS,
        Column("conversations.AgendaItem.added_for", record="meeting"),
    ),
    records=_planned_meetings,
    describe=_describe_meeting,
)


def move_seats(partnership_ids: Collection[int], move: RecordMove) -> list[Change]:
    """Move the seats at planned meetings of partnerships in which the successor now takes part."""
    planned_meetings = Meeting.objects.filter(partnership__in=list(partnership_ids), status=MeetingStatus.PLANNED)
    return move_rows(_SEATS, move, list(planned_meetings.values_list("pk", flat=True)))


def _private_notes(organisation: Organisation, _day: dt.date) -> QuerySet[PrivateNote]:
    return PrivateNote.objects.filter(organisation=organisation)


def _describe_private_note(note: PrivateNote, _organisation: Organisation) -> HeldRecord:
    title = f"Private note {note.pk}"
    return HeldRecord(pk=note.pk, title=title, what="On a conversation", generic_title=title)


NOTES = Obligation(
    code="notes",
    label="Private notes",
    columns=(Column("conversations.PrivateNote.organisation"),),
    records=_private_notes,
    describe=_describe_private_note,
)


def _journal_notes(organisation: Organisation, _day: dt.date) -> QuerySet[JournalNote]:
    return JournalNote.objects.filter(organisation=organisation, deleted_at=None)


def _describe_journal_note(note: JournalNote, _organisation: Organisation) -> HeldRecord:
    title = f"Journal note {note.pk}"
    return HeldRecord(pk=note.pk, title=title, what="In the journal", generic_title=title)


JOURNAL = Obligation(
    code="journal",
    label="Journal",
    columns=(Column("conversations.JournalNote.organisation"),),
    records=_journal_notes,
    describe=_describe_journal_note,
)


def _current_facilitators(organisation: Organisation, _day: dt.date) -> QuerySet[Facilitator]:
    facilitators = Facilitator.objects.filter(organisation=organisation, ended_at=None)
    return facilitators.select_related("person", "partnership")


def _describe_facilitator(facilitator: Facilitator, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=facilitator.pk,
        title=facilitator.person.display_name,
        path=facilitator.partnership.get_absolute_url(),
        what=facilitator.partnership.title,
        generic_title=f"Facilitator {facilitator.pk}",
    )


FACILITATORS = Obligation(
    code="facilitators",
    label="Facilitators of partnerships",
    columns=(Column("conversations.Facilitator.organisation"),),
    records=_current_facilitators,
    describe=_describe_facilitator,
)


def register() -> None:
    """Register the records that pass to a successor, and the columns that change only in a merge or never."""
    for kind in (CONVERSATIONS, MEETINGS, NOTES, JOURNAL, FACILITATORS):
        register_obligation(kind)
    register_after_move("partnerships", move_seats)
    register_following_columns(
        Column("conversations.JournalNote.about"),
        "conversations.MeetingCycle.set_for",
        "conversations.Attachment.added_for",
    )
    register_staying_columns(
        "the record of who decided, which never changes", "conversations.ReportSubmission.decided_for"
    )
