"""Meetings, open conversations, notes and facilitators among the records that move to an organisation's successor."""

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
    Held,
    Moving,
    Obligation,
    register_following,
    register_obligation,
    register_settling,
    register_staying,
)
from partnerships.organisations.services.moving import move_rows

_CLOSED = (Status.AGREED, Status.CANCELLED)
#: Rows of conversations that are not closed. Closed conversations do not move, because they are history.
_OPEN = ~Q(conversation__status__in=_CLOSED)


def _conversations(organisation: Organisation, day: dt.date) -> QuerySet[Conversation]:
    takes_part = Q(organisation=organisation) | Q(sides__organisation=organisation)
    return Conversation.objects.exclude(status__in=_CLOSED).filter(takes_part).distinct()


def _between_two(target: int) -> Q:
    """Condition on sides of conversations between only the ending organisation and its successor.

    These sides do not pass on: the successor would have had the conversation with itself.
    """
    with_two_sides = Side.objects.values("conversation").annotate(sides=Count("pk")).filter(sides__lte=2)
    sides_of_target = Side.objects.filter(organisation=target, conversation__in=with_two_sides.values("conversation"))
    return Q(conversation__in=sides_of_target.values("conversation"))


def _unite_sides(ending: Side, remaining: Side) -> dict[str, Any]:
    """The changes to the side that stays: it must agree again if the side that ends has not agreed."""
    return {"agreed_at": None, "agreed_by_id": None} if ending.agreed_at is None else {}


CONVERSATIONS = Obligation(
    "conversations",
    "Conversations not yet agreed",
    (
        # The database keeps an agreed record as it is.
        Column("conversations.Conversation.organisation", stays=Q(status=Status.AGREED)),
        Column(
            "conversations.Side.organisation",
            "conversation",
            _OPEN,
            locked=_between_two,
            dropping=True,
            uniting=_unite_sides,
        ),
        Column(
            "conversations.Attendee.organisation",
            "conversation",
            _OPEN,
            dropping=True,
            forgetting=("name", "job_title"),
        ),
        Column("conversations.Point.organisation", "conversation", stays=Q(conversation__status=Status.AGREED)),
        Column("conversations.NextStep.organisation", "conversation"),
        Column("conversations.Correction.organisation", "conversation"),
    ),
    _conversations,
    lambda one, _: Held(
        one.pk,
        f"Conversation of {long_date(one.held_on)}",
        one.get_absolute_url(),
        one.get_status_display(),
        outside=f"Conversation {one.pk}",
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
    lambda one, _: Held(one.pk, one.title, one.get_absolute_url(), "Arranges the meeting", outside=f"Meeting {one.pk}"),
)


def pass_seats(partnerships: Collection[int], moving: Moving) -> list[Change]:
    """Move the seats at planned meetings of these partnerships, which have moved to the successor themselves."""
    planned = Meeting.objects.filter(partnership__in=list(partnerships), status=MeetingStatus.PLANNED)
    return move_rows(_SEATS, moving, list(planned.values_list("pk", flat=True)))


NOTES = Obligation(
    "notes",
    "Private notes",
    (Column("conversations.PrivateNote.organisation"),),
    lambda organisation, _: PrivateNote.objects.filter(organisation=organisation),
    lambda one, _: Held(one.pk, f"Private note {one.pk}", "", "On a conversation", outside=f"Private note {one.pk}"),
)
JOURNAL = Obligation(
    "journal",
    "Journal",
    (Column("conversations.JournalNote.organisation"),),
    lambda organisation, _: JournalNote.objects.filter(organisation=organisation, deleted_at=None),
    lambda one, _: Held(one.pk, f"Journal note {one.pk}", "", "In the journal", outside=f"Journal note {one.pk}"),
)
FACILITATORS = Obligation(
    "facilitators",
    "Facilitators of partnerships",
    (Column("conversations.Facilitator.organisation"),),
    lambda organisation, _: Facilitator.objects.filter(organisation=organisation, ended_at=None).select_related(
        "person", "partnership"
    ),
    lambda one, _: Held(
        one.pk,
        one.person.display_name,
        one.partnership.get_absolute_url(),
        one.partnership.title,
        outside=f"Facilitator {one.pk}",
    ),
)


def register() -> None:
    """Register the records that move to a successor, and those that stay."""
    for kind in (CONVERSATIONS, MEETINGS, NOTES, JOURNAL, FACILITATORS):
        register_obligation(kind)
    register_settling("partnerships", pass_seats)
    register_following(
        Column("conversations.JournalNote.about"),
        "conversations.MeetingCycle.set_for",
        "conversations.Attachment.added_for",
    )
    register_staying("who decided; the database keeps it", "conversations.ReportSubmission.decided_for")
