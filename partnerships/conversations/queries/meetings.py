"""Meetings of a partnership, the people who come, and the date of the next meeting."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole, PostRole
from partnerships.agreements.queries.posts import people_in_post
from partnerships.conversations.cycle import Cycle, MeetingDay, OnHoliday, move_off_holiday, recognise_cycle
from partnerships.conversations.models import (
    Format,
    Meeting,
    MeetingCycle,
    MeetingQuerySet,
    MeetingSeat,
    MeetingStatus,
)
from partnerships.conversations.quorum import Quorum, count_quorum
from partnerships.organisations.holdings import rows_once_a_page
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.nations import holidays_of_any
from partnerships.organisations.queries import leads_with_account, with_account
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

# The proposal for the first meeting of a partnership whose leads have set no cycle.
_TIME = dt.time(10)
_MINUTES = 60
_FORMAT = Format.VIDEO


def possible_attendees(partnership: Partnership) -> QuerySet[User]:
    """Return the people with an account who act for a present party, ordered by name."""
    parties = Party.objects.accepted().filter(partnership=partnership)
    memberships = Membership.objects.current().filter(organisation__in=parties.values("organisation"))
    return with_account(User.objects.filter(pk__in=memberships.values("person")))


def usual_attendee_ids(partnership: Partnership, today: dt.date) -> list[int]:
    """Return the ids of the people to invite by default.

    From each party, these are the holders of its lead and deputy posts, or all its leads if it has no such posts.
    """
    person_ids: set[int] = set()
    parties = Party.objects.accepted().filter(partnership=partnership)
    for organisation in parties.values_list("organisation_id", flat=True):
        holder_ids: list[int] = []
        for role in (PostRole.LEAD, PostRole.DEPUTY):
            holders = people_in_post(organisation, role, day=today, partnership=partnership)
            holder_ids += [person.pk for person in holders]
        person_ids.update(holder_ids or leads_with_account([organisation]).values_list("pk", flat=True))
    return sorted(person_ids)


def next_attendee_ids(partnership: Partnership, last: Meeting | None, today: dt.date) -> list[int]:
    """Return the ids of the people to invite to the next meeting by default.

    They are the people invited to the last meeting. Before the first meeting, they are the usual attendees.
    """
    if last is None:
        return usual_attendee_ids(partnership, today)
    return list(seated_people(last).values_list("pk", flat=True))


def party_of_person(partnership: Partnership, person: User) -> Organisation | None:
    """Return the present party for which the person acts; None if there is none.

    If the person acts for several, a party that is not an observer is preferred.
    """
    parties = Party.objects.accepted().filter(
        partnership=partnership, organisation__in=Organisation.objects.of_person(person)
    )
    # False sorts before True, so observers come last.
    own_parties = sorted(
        parties.select_related("organisation"), key=lambda party: (party.role == PartyRole.OBSERVER, party.pk)
    )
    return own_parties[0].organisation if own_parties else None


def seated_people(meeting: Meeting) -> QuerySet[User]:
    """Return the people invited to a meeting who may read it today, ordered by name."""
    seats = MeetingSeat.objects.filter(meeting=meeting, person__isnull=False)
    return possible_attendees(meeting.partnership).filter(pk__in=seats.values("person"))


def with_seats(meetings: MeetingQuerySet) -> MeetingQuerySet:
    """Fetch the partnership and all seats, ordered by organisation and name."""
    return meetings.select_related("partnership", "organisation").prefetch_related(_seats())


def _seats() -> Prefetch[Any]:
    """Return the prefetch of all seats of meetings, ordered by organisation and name."""
    seats = MeetingSeat.objects.select_related("organisation", "person")
    return Prefetch("seats", queryset=seats.order_by("organisation__name", "person__name", "name", "pk"))


def coming_and_past_meetings(
    partnership: Partnership, user: User, *, past_limit: int
) -> tuple[list[Meeting], list[Meeting]]:
    """Return the planned meetings, the earliest first, and those held or called off, the newest first.

    Planned meetings are those whose attendance is not recorded. At most `past_limit` others are returned.
    """
    visible = Meeting.objects.visible_to(user).filter(partnership=partnership)
    visible = visible.select_related("partnership", "organisation")
    coming = list(visible.filter(status=MeetingStatus.PLANNED).order_by("starts_at", "pk"))
    past = list(visible.exclude(status=MeetingStatus.PLANNED).order_by("-starts_at", "-pk")[:past_limit])
    # One query reads the seats of both.
    prefetch_related_objects([*coming, *past], _seats())
    return coming, past


def last_meeting_before(meeting: Meeting) -> Meeting | None:
    """Return the partnership's last meeting that was held before this meeting."""
    meetings = Meeting.objects.filter(partnership=meeting.partnership_id, status=MeetingStatus.HELD)
    return meetings.filter(starts_at__lt=meeting.starts_at).order_by("-starts_at", "-pk").first()


def next_meeting_after(meeting: Meeting) -> Meeting | None:
    """Return the next planned meeting of the partnership after this meeting."""
    planned = Meeting.objects.filter(partnership=meeting.partnership_id, status=MeetingStatus.PLANNED)
    return planned.filter(starts_at__gt=meeting.starts_at).order_by("starts_at", "pk").first()


@dataclass(frozen=True, slots=True)
class NextMeeting:
    """A proposal for the next meeting, from the cycle and the last meeting."""

    starts_at: dt.datetime
    #: The day according to the cycle; the meeting may be moved off a bank holiday.
    cycle_day: dt.date
    meeting_day: MeetingDay
    minutes: int
    format: str
    place: str
    link: str
    #: The cycle in words, such as `Every first Tuesday of the month`.
    words: str

    @property
    def holiday_words(self) -> str:
        """Return a sentence about the bank holiday; "" without one."""
        if self.meeting_day.moved_from is not None:
            return "The usual day is a bank holiday, so the meeting has been moved."
        if self.meeting_day.is_holiday:
            return "This day is a bank holiday."
        return ""


def running_cycle(partnership: Partnership) -> MeetingCycle | None:
    """Return the cycle that the partnership's leads set, or None if there is none or it was stopped.

    Within a page, the cycle is read once.
    """
    rows = MeetingCycle.objects.filter(partnership=partnership, stopped_at=None).order_by("pk")[:1]
    cycles = rows_once_a_page((running_cycle, partnership.pk), lambda: rows)
    return cycles[0] if cycles else None


def cycle_from_terms(partnership: Partnership, today: dt.date) -> Cycle | None:
    """Return the cycle that the meeting frequency in the terms describes; None if it describes none.

    If the text names no weekday, the weekday is that of the last meeting, or today's.
    """
    guess = recognise_cycle(partnership.meeting_frequency)
    if guess is None:
        return None
    last = _last_meeting(partnership)
    return guess.cycle(last.day if last else today)


def _last_meeting(partnership: Partnership) -> Meeting | None:
    """Return the latest meeting that is planned or was held."""
    return partnership.meetings.exclude(status=MeetingStatus.CALLED_OFF).order_by("-starts_at", "-pk").first()


def meeting_holidays(partnership: Partnership) -> frozenset[dt.date]:
    """Return the bank holidays of any present party that is not an observer. Within a page, they are read once."""
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    organisations = Organisation.objects.filter(pk__in=parties.values("organisation")).select_related("region")
    return frozenset(rows_once_a_page((meeting_holidays, partnership.pk), lambda: holidays_of_any(organisations)))


def propose_next_meeting(partnership: Partnership, now: dt.datetime) -> NextMeeting | None:
    """Return a proposal for the meeting after the last one that is planned or was held; None without a cycle.

    A meeting that was called off is ignored, so its day is proposed again while it is in the future. Time and place are
    those of the cycle that leads have set, or else those of the last meeting.
    """
    today = timezone.localdate(now)
    last_meeting = _last_meeting(partnership)
    meeting_cycle = running_cycle(partnership)
    cycle = meeting_cycle.cycle if meeting_cycle else cycle_from_terms(partnership, today)
    if cycle is None:
        return None

    day_before = today
    if last_meeting is not None:
        # The last meeting may have been moved off its day in the cycle, in either direction.
        day_before = max(today, last_meeting.day, last_meeting.cycle_day or last_meeting.day)
    cycle_day = cycle.next_day(after=day_before)
    on_holiday = OnHoliday(meeting_cycle.on_holiday) if meeting_cycle else OnHoliday.LATER
    meeting_day = move_off_holiday(cycle_day, meeting_holidays(partnership), on_holiday)

    if meeting_cycle:
        time = meeting_cycle.time
    elif last_meeting:
        time = timezone.localtime(last_meeting.starts_at).time()
    else:
        time = _TIME
    # The new meeting has the length, type and place of the cycle, or else of the last meeting.
    example = meeting_cycle or last_meeting or Meeting(minutes=_MINUTES, format=_FORMAT)
    return NextMeeting(
        starts_at=timezone.make_aware(dt.datetime.combine(meeting_day.day, time)),
        cycle_day=cycle_day,
        meeting_day=meeting_day,
        minutes=example.minutes,
        format=example.format,
        place=example.place,
        link=example.link,
        words=cycle.words,
    )


def quorum_of(meeting: Meeting) -> Quorum | None:
    """Return the quorum recorded at the meeting; None before the meeting was held."""
    if meeting.quorum_present is None:
        return None
    return Quorum(meeting.quorum_present, meeting.quorum_needed)


def expected_quorum(meeting: Meeting, coming_ids: set[int]) -> Quorum:
    """Return the quorum of a planned meeting if people of the organisations with these ids come."""
    counted_ids = set(rows_for(ids_in_quorum, meeting.partnership_id))
    return count_quorum(counted_ids=counted_ids, present_ids=coming_ids, needed=meeting.partnership.quorum)


def ids_in_quorum(partnership_id: int) -> QuerySet[Party, int]:
    """Return the ids of the organisations that can make a quorum now. These are present parties, except observers."""
    parties = Party.objects.accepted().filter(partnership=partnership_id).exclude(role=PartyRole.OBSERVER)
    return parties.values_list("organisation_id", flat=True)
