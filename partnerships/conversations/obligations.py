"""The records of this room that move to an organisation's successor.

They are open conversations, planned meetings, notes and facilitators.
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


def _conversations(organisation: Organisation, day: dt.date) -> QuerySet[Conversation]:
    """Return the open conversations in which the organisation takes part or whose record it keeps."""
    takes_part = Q(organisation=organisation) | Q(sides__organisation=organisation)
    return Conversation.objects.exclude(status__in=_CLOSED).filter(takes_part).distinct()


def _between_two(target_id: int) -> Q:
    """Return the condition that a conversation was only between the ending organisation and its successor.

    Its side does not move, because the successor would have had the conversation with itself.
    """
    conversations_of_two = Side.objects.values("conversation").annotate(sides=Count("pk")).filter(sides__lte=2)
    sides_of_target = Side.objects.filter(
        organisation=target_id, conversation__in=conversations_of_two.values("conversation")
    )
    return Q(conversation__in=sides_of_target.values("conversation"))


def _unite_sides(ending: Side, remaining: Side) -> dict[str, Any]:
    """Return the changes to the successor's own side, if both organisations took part in the conversation.

    The successor must agree again if the ending organisation has not agreed.
    """
    return {"agreed_at": None, "agreed_by_id": None} if ending.agreed_at is None else {}


CONVERSATIONS = Obligation(
    "conversations",
    "Conversations not yet agreed",
    (
        # A trigger refuses changes to an agreed record.
        Column("conversations.Conversation.organisation", never_moves=Q(status=Status.AGREED)),
        Column(
            "conversations.Side.organisation",
            "conversation",
            _OPEN,
            cannot_move_to=_between_two,
            deletes_duplicate=True,
            merge_values=_unite_sides,
        ),
        Column(
            "conversations.Attendee.organisation",
            "conversation",
            _OPEN,
            deletes_duplicate=True,
            fields_not_stored=("name", "job_title"),
        ),
        Column("conversations.Point.organisation", "conversation", never_moves=Q(conversation__status=Status.AGREED)),
        Column("conversations.NextStep.organisation", "conversation"),
        Column("conversations.Correction.organisation", "conversation"),
    ),
    _conversations,
    lambda row, _: HeldRecord(
        row.pk,
        f"Conversation of {long_date(row.held_on)}",
        row.get_absolute_url(),
        row.get_status_display(),
        generic_title=f"Conversation {row.pk}",
    ),
)
_SEATS = Column("conversations.MeetingSeat.organisation", "meeting")
MEETINGS = Obligation(
    "meetings",
    "Planned meetings",
    (
        Column("conversations.Meeting.organisation"),
        _SEATS,
        Column("conversations.AgendaItem.added_for", "meeting"),
    ),
    lambda organisation, _: Meeting.objects.filter(organisation=organisation, status=MeetingStatus.PLANNED),
    lambda row, _: HeldRecord(
        row.pk, row.title, row.get_absolute_url(), "Arranges the meeting", generic_title=f"Meeting {row.pk}"
    ),
)


def pass_seats(partnership_ids: Collection[int], move: RecordMove) -> list[Change]:
    """Move the seats at planned meetings of partnerships that have moved to the successor."""
    planned_meetings = Meeting.objects.filter(partnership__in=list(partnership_ids), status=MeetingStatus.PLANNED)
    return move_rows(_SEATS, move, list(planned_meetings.values_list("pk", flat=True)))


NOTES = Obligation(
    "notes",
    "Private notes",
    (Column("conversations.PrivateNote.organisation"),),
    lambda organisation, _: PrivateNote.objects.filter(organisation=organisation),
    lambda row, _: HeldRecord(
        row.pk, f"Private note {row.pk}", "", "On a conversation", generic_title=f"Private note {row.pk}"
    ),
)
JOURNAL = Obligation(
    "journal",
    "Journal",
    (Column("conversations.JournalNote.organisation"),),
    lambda organisation, _: JournalNote.objects.filter(organisation=organisation, deleted_at=None),
    lambda row, _: HeldRecord(
        row.pk, f"Journal note {row.pk}", "", "In the journal", generic_title=f"Journal note {row.pk}"
    ),
)
FACILITATORS = Obligation(
    "facilitators",
    "Facilitators of partnerships",
    (Column("conversations.Facilitator.organisation"),),
    lambda organisation, _: Facilitator.objects.filter(organisation=organisation, ended_at=None).select_related(
        "person", "partnership"
    ),
    lambda row, _: HeldRecord(
        row.pk,
        row.person.display_name,
        row.partnership.get_absolute_url(),
        row.partnership.title,
        generic_title=f"Facilitator {row.pk}",
    ),
)


def register() -> None:
    """Register which records move to a successor, which follow another record, and which stay."""
    for kind in (CONVERSATIONS, MEETINGS, NOTES, JOURNAL, FACILITATORS):
        register_obligation(kind)
    register_after_move("partnerships", pass_seats)
    register_following_columns(
        Column("conversations.JournalNote.about"),
        "conversations.MeetingCycle.set_for",
        "conversations.Attachment.added_for",
    )
    register_staying_columns(
        "the record of who decided, which never changes", "conversations.ReportSubmission.decided_for"
    )
