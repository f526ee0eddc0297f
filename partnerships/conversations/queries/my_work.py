"""What conversations add to a person's work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeAlias

from django.db.models import DateField, DateTimeField, Exists, F, Min, OuterRef, Q, QuerySet, Value
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
    contacts_lookup,
    past_contacts,
    quiet_in_brief,
    quiet_lookup,
    quiet_parties,
    with_contacts,
)
from partnerships.conversations.queries.facilitating import FACILITATORS_WAITING
from partnerships.conversations.queries.listings import titles_known_to, titles_lookup
from partnerships.conversations.queries.meetings import propose_next
from partnerships.conversations.queries.reports import REPORTS_WAITING
from partnerships.kit.moments import beginning_of
from partnerships.kit.waiting import MAX_LISTED, InOrder, Waiting, addresses
from partnerships.organisations.audience import EDITORS, Organisations, People, Reach, reach_lookup, sorted_by_reach
from partnerships.organisations.holdings import among
from partnerships.organisations.models import EDITING_ROLES, Role
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class _WithContacts:
    """Says who a person should get in touch with, for partnerships that have gone quiet."""

    user: User
    now: dt.datetime
    quiet: dict[int, Quiet] = field(compare=False)

    def __call__(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """The same rows, with the names of the people to contact."""
        partnerships = [self.quiet[task.number] for task in waiting]
        return [_quiet_waiting(quiet) for quiet in with_contacts(self.user, partnerships, self.now)]

    def lookups(self, waiting: Sequence[Waiting]) -> list[Lookup]:
        """The parties of their partnerships."""
        return [contacts_lookup(self.user, [task.number for task in waiting])]


def _quiet_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    quiet = quiet_in_brief(user, now, limit=MAX_LISTED)
    complete = _WithContacts(user, now, {silent.partnership.pk: silent for silent in quiet})
    return [replace(_quiet_waiting(silent), number=silent.partnership.pk, complete=complete) for silent in quiet]


def _records(now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    """Records to agree to, corrections to answer, conversations to write up."""
    open_ones = Conversation.objects.filter(status__in=OPEN_FOR_CORRECTION)
    corrections = Correction.objects.filter(conversation=OuterRef("pk"), answered_at=None)
    planned = Conversation.objects.filter(status=Status.PLANNED, held_on__lte=timezone.localdate(now))
    # The status of the side, too, for its index.
    asked_to_agree = Q(sides__agreed_at=None, sides__status__in=OPEN_FOR_CORRECTION)
    sides = Organisations("sides__organisation", when=asked_to_agree, roles=EDITING_ROLES)
    return Reach(open_ones, (sides,)), Reach(open_ones.filter(Exists(corrections)), EDITORS), Reach(planned, EDITORS)


#: A record that waits: its number, subject, status, partnership, the day it is due, and since when it waits.
_Row: TypeAlias = tuple[int, str, str, int | None, dt.date | None, dt.datetime | None]
_WHAT = ("Read and agree to this record", "Answer a correction", "Write up this conversation")


def _records_for(user: User, now: dt.datetime, *, place: int) -> QuerySet[Conversation, _Row]:
    """Records of one kind of `_records`, the most urgent first; everybody they reach may read them."""
    conversations: QuerySet[Conversation, Any] = _records(now)[place].of(user)
    since: Any = F("circulated_at")
    if place == 1:
        since = Min("corrections__made_at", filter=Q(corrections__answered_at=None))
    due: Any = F("held_on") if place == 2 else Value(None, DateField())
    conversations = conversations.annotate(since=since, due=due).order_by("held_on" if place == 2 else "since", "pk")
    rows: QuerySet[Conversation, _Row] = conversations.values_list(
        "pk", "subject", "status", "partnership", "due", "since"
    )
    return rows[:MAX_LISTED]


def _records_of(place: int) -> Source:
    """The source of one kind of `_records`."""
    return Source(
        lambda user, now: _in_words(_WHAT[place], rows_for(_records_for, user, now, place=place), user),
        lambda now: (_records(now)[place],),
        is_usual=True,
        lookups=lambda user, now: (lookup(_records_for, user, now, place=place),),
    )


def _contacts_wanted(user: User, now: dt.datetime) -> InOrder:
    return _in_words("Get in touch again", rows_for(_contacts_for, user, now), user)


def _contacts_for(user: User, now: dt.datetime) -> QuerySet[Conversation, _Row]:
    contacts: Any = contacts_due(user, now).annotate(since=Value(None, DateTimeField()))
    rows: QuerySet[Conversation, _Row] = contacts.order_by("next_contact_on", "pk").values_list(
        "pk", "subject", "status", "partnership", "next_contact_on", "since"
    )
    return rows[:MAX_LISTED]


@dataclass(frozen=True, slots=True)
class _WithTitles:
    """Adds the titles of partnerships that the person may know of: a side outside one reads the record alone."""

    user: User

    def __call__(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """The same rows, with titles."""
        titles_known = titles_known_to(self.user, {task.number for task in waiting})
        return [replace(task, within=titles_known.get(task.number, "")) for task in waiting]

    def lookups(self, waiting: Sequence[Waiting]) -> list[Lookup]:
        """The titles."""
        return [titles_lookup(self.user, {task.number for task in waiting})]


def _in_words(what: str, rows: Sequence[_Row], user: User) -> InOrder:
    """These records as things that wait, without titles of partnerships until `in_full`."""
    address, labels = addresses("conversations:detail"), dict(Status.choices)
    complete = _WithTitles(user)

    def make(row: _Row) -> Waiting:
        pk, subject, status, partnership, due, since = row
        return Waiting(
            what=what,
            title=subject,
            path=address(pk),
            since=since,
            due=due,
            status=status,
            status_label=str(labels[status]),
            number=partnership or 0,
            complete=complete if partnership else None,
        )

    return InOrder(rows, make, due=itemgetter(4))


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
    meetings = Meeting.objects.filter(status=MeetingStatus.HELD, conversation=None)
    return Reach(soon, _OF_THE_CALLER), Reach(begun, _OF_THE_CALLER), Reach(meetings, _OF_THE_CALLER)


def _meetings_for(user: User, now: dt.datetime) -> tuple[Reach, Reach, Reach]:
    return _meetings(now)


def _read_meetings(user: User, ids: list[int]) -> QuerySet[Meeting]:
    return Meeting.objects.open_to(user).filter(among("pk", ids)).select_related("partnership").order_by("pk")


def _meetings_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    places = sorted_by_reach(_meetings_for, user, now)
    to_prepare, to_record, to_minute = places[0], places[1], places[2]
    waiting = []
    for row in rows_for(_read_meetings, user, list(to_prepare | to_record | to_minute)):
        if row.pk in to_prepare:
            waiting.append(_meeting_waiting("Prepare the agenda", row, "conversations:agenda", row.pk, None))
        elif row.pk in to_record:
            waiting.append(_meeting_waiting("Record who attended", row, "conversations:attendance", row.pk, None))
        else:
            waiting.append(
                _meeting_waiting("Write the minutes", row, "conversations:minutes", row.pk, row.attendance_at)
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
    *map(_records_of, range(len(_WHAT))),
    Source(
        _contacts_wanted,
        lambda now: (past_contacts(now),),
        is_usual=True,
        lookups=lambda user, now: (lookup(_contacts_for, user, now),),
    ),
    Source(_seats_wanted, lambda now: (_seats(now),), lookups=lambda user, now: (lookup(_own_seats, user, now),)),
    Source(_meetings_wanted, _meetings, lookups=lambda user, now: (reach_lookup(_meetings_for, user, now),)),
    Source(_cycles_wanted, lambda now: (_cycles(now),), lookups=lambda user, now: (lookup(_cycles_for, user, now),)),
    Source(
        _quiet_wanted,
        lambda now: (quiet_parties(now),),
        is_usual=True,
        lookups=lambda user, now: (quiet_lookup(user, now, limit=MAX_LISTED),),
    ),
    *REPORTS_WAITING,
    *FACILITATORS_WAITING,
)
