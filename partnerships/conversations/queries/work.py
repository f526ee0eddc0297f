"""What conversations add to a person's work."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import LEADING_ROLES, Partnership, PartyStatus
from partnerships.conversations.models import (
    OPEN_FOR_CORRECTION,
    Conversation,
    Correction,
    Meeting,
    MeetingCycle,
    MeetingSeat,
    MeetingStatus,
    Status,
)
from partnerships.conversations.queries.contacts import (
    Quiet,
    contacts_due,
    gone_quiet,
    past_contacts,
    quiet_lookups,
    quiet_parties,
)
from partnerships.conversations.queries.facilitating import FACILITATORS_WAITING
from partnerships.conversations.queries.listings import with_known_titles
from partnerships.conversations.queries.meetings import propose_next
from partnerships.conversations.queries.reports import REPORTS_WAITING
from partnerships.kit.moments import beginning_of
from partnerships.kit.waiting import MAX_LISTED, Waiting, addresses
from partnerships.organisations.audience import EDITORS, Organisations, People, Reach, reach_lookup, sorted_by_reach
from partnerships.organisations.holdings import among
from partnerships.organisations.models import EDITING_ROLES, Role
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User


def _quiet_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [_quiet_waiting(quiet) for quiet in gone_quiet(user, now, limit=MAX_LISTED)]


def _records(now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    """Records to agree to, corrections to answer, conversations to write up."""
    open_ones = Conversation.objects.filter(status__in=OPEN_FOR_CORRECTION)
    asked = Correction.objects.filter(conversation=OuterRef("pk"), answered_at=None)
    planned = Conversation.objects.filter(status=Status.PLANNED, held_on__lte=timezone.localdate(now))
    sides = Organisations("sides__organisation", when=Q(sides__agreed_at=None), roles=EDITING_ROLES)
    return Reach(open_ones, (sides,)), Reach(open_ones.filter(Exists(asked)), EDITORS), Reach(planned, EDITORS)


def _records_for(user: User, now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    return _records(now)


def _read_records(user: User, ids: list[int]) -> QuerySet[Conversation]:
    asked = Min("corrections__made_at", filter=Q(corrections__answered_at=None))
    rows = with_known_titles(Conversation.objects.visible_to(user).filter(among("pk", ids)), user)
    return rows.annotate(asked=asked).defer("said", "reason").order_by("pk")


def _records_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    places = sorted_by_reach(_records_for, user, now)
    to_agree, to_correct, to_record = places[0], places[1], places[2]
    ids = list(to_agree | to_correct | to_record)
    found: list[Any] = rows_for(_read_records, user, ids) if ids else []
    return _in_words(
        [
            *(("Read and agree to this record", one, one.circulated_at, None) for one in found if one.pk in to_agree),
            *(("Answer a correction", one, one.asked, None) for one in found if one.pk in to_correct),
            *(("Write up this conversation", one, None, one.held_on) for one in found if one.pk in to_record),
        ],
    )


def _contacts_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    due = rows_for(_contacts_for, user, now)
    return _in_words([("Get in touch again", one, None, one.next_contact_on) for one in due])


def _contacts_for(user: User, now: dt.datetime) -> QuerySet[Conversation]:
    return with_known_titles(contacts_due(user, now), user)


def _in_words(waiting: list[tuple[str, Conversation, dt.datetime | None, dt.date | None]]) -> list[Waiting]:
    address = addresses("conversations:detail")
    return [
        Waiting(
            what=what,
            title=one.subject,
            path=address(one.pk),
            since=since,
            due=due,
            within=one.known_title or "",
            status=one.status,
            status_label=one.get_status_display(),
        )
        for what, one, since, due in waiting
    ]


def _quiet_waiting(quiet: Quiet) -> Waiting:
    too_long = quiet.since + dt.timedelta(days=quiet.partnership.quiet_after)
    silence = f"no contact for {quiet.days} days" if quiet.ever else f"no conversation in {quiet.days} days"
    return Waiting(
        what=f"Get in touch with {quiet.with_whom or 'the partners'}: {silence}",
        title=quiet.partnership.title,
        path=f"{reverse('conversations:new')}?partnership={quiet.partnership.pk}",
        # Waiting since the limit was passed, not since the last conversation: requests from people sort first.
        since=beginning_of(too_long),
        within=quiet.partnership.title,
    )


#: How long before a meeting its agenda waits to be prepared.
AGENDA_TIME = dt.timedelta(days=14)
#: How long before the next day of the cycle its meeting waits to be planned.
PLANNING_TIME = dt.timedelta(days=42)
_OF_THE_CALLER = (Organisations("organisation", roles=EDITING_ROLES),)


def _seats(now: dt.datetime) -> Reach:
    """Seats of people who have not said whether they come."""
    coming = Meeting.objects.coming(now).values("pk")
    return Reach(MeetingSeat.objects.filter(answer="", meeting__in=coming), (People("person"),))


def _own_seats(user: User, now: dt.datetime) -> QuerySet[MeetingSeat]:
    open_ones = Meeting.objects.open_to(user).coming(now).values("pk")
    return _seats(now).of(user).filter(meeting__in=open_ones).select_related("meeting__partnership").order_by("pk")


def _seats_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        _meeting_waiting(
            "Say whether you are coming", seat.meeting, "conversations:meeting-answer", seat.pk, seat.invited_at
        )
        for seat in rows_for(_own_seats, user, now)
    ]


def _meetings(now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    """Meetings without an agenda, without attendance, and without minutes."""
    planned = Meeting.objects.filter(status=MeetingStatus.PLANNED)
    soon = planned.filter(agenda_sent_at=None, starts_at__gte=now, starts_at__lte=now + AGENDA_TIME)
    begun = planned.filter(starts_at__lt=now)
    held = Meeting.objects.filter(status=MeetingStatus.HELD, conversation=None)
    return Reach(soon, _OF_THE_CALLER), Reach(begun, _OF_THE_CALLER), Reach(held, _OF_THE_CALLER)


def _meetings_for(user: User, now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    return _meetings(now)


def _read_meetings(user: User, ids: list[int]) -> QuerySet[Meeting]:
    return Meeting.objects.open_to(user).filter(among("pk", ids)).select_related("partnership").order_by("pk")


def _meetings_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    places = sorted_by_reach(_meetings_for, user, now)
    to_prepare, to_record, to_minute = places[0], places[1], places[2]
    waiting = []
    for one in rows_for(_read_meetings, user, list(to_prepare | to_record | to_minute)):
        if one.pk in to_prepare:
            waiting.append(_meeting_waiting("Prepare the agenda", one, "conversations:agenda", one.pk, None))
        elif one.pk in to_record:
            waiting.append(_meeting_waiting("Record who attended", one, "conversations:attendance", one.pk, None))
        else:
            waiting.append(
                _meeting_waiting("Write the minutes", one, "conversations:minutes", one.pk, one.attendance_at)
            )
    return waiting


def _meeting_waiting(what: str, meeting: Meeting, route: str, number: int, since: dt.datetime | None) -> Waiting:
    return Waiting(
        what=what,
        title=meeting.title,
        path=reverse(route, args=[number]),
        since=since,
        due=meeting.day,
        within=meeting.partnership.title,
        status=meeting.status,
        status_label=meeting.get_status_display(),
    )


def _cycles(now: dt.datetime) -> Reach:
    """Running cycles of live partnerships without a meeting to come."""
    coming = Meeting.objects.coming(now).filter(partnership=OuterRef("partnership"))
    cycles = MeetingCycle.objects.filter(
        ~Exists(coming), stopped_at=None, partnership__in=Partnership.objects.live().values("pk")
    )
    leads = Organisations(
        "partnership__parties__organisation",
        when=Q(partnership__parties__status=PartyStatus.ACCEPTED, partnership__parties__role__in=LEADING_ROLES),
        roles=(Role.LEAD,),
    )
    return Reach(cycles, (leads,))


def _cycles_for(user: User, now: dt.datetime) -> QuerySet[MeetingCycle]:
    return _cycles(now).of(user).select_related("partnership").order_by("pk")


def _cycles_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    waiting = []
    for cycle in rows_for(_cycles_for, user, now):
        proposed = propose_next(cycle.partnership, now)
        if proposed is not None and proposed.starts_at <= now + PLANNING_TIME:
            waiting.append(
                Waiting(
                    what="Plan the next meeting",
                    title=cycle.partnership.title,
                    path=reverse("conversations:meeting-new", args=[cycle.partnership_id]),
                    due=timezone.localdate(proposed.starts_at),
                    within=cycle.partnership.title,
                )
            )
    return waiting


#: Work that waits: records to agree to, corrections to answer, conversations to write up or to hold, reports
#: and meetings.
WAITING = (
    Source(
        _records_wanted, _records, is_usual=True, lookups=lambda user, now: (reach_lookup(_records_for, user, now),)
    ),
    Source(
        _contacts_wanted,
        lambda now: (past_contacts(now),),
        is_usual=True,
        lookups=lambda user, now: (lookup(_contacts_for, user, now),),
    ),
    Source(_seats_wanted, lambda now: (_seats(now),), lookups=lambda user, now: (lookup(_own_seats, user, now),)),
    Source(_meetings_wanted, _meetings, lookups=lambda user, now: (reach_lookup(_meetings_for, user, now),)),
    Source(_cycles_wanted, lambda now: (_cycles(now),), lookups=lambda user, now: (lookup(_cycles_for, user, now),)),
    Source(_quiet_wanted, lambda now: (quiet_parties(now),), is_usual=True, lookups=quiet_lookups),
    *REPORTS_WAITING,
    *FACILITATORS_WAITING,
)
