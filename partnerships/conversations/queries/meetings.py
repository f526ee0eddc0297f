"""Meetings of a partnership, who comes, and when it meets next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole, PostRole
from partnerships.agreements.queries.posts import people_in_post
from partnerships.conversations.cycle import Cycle, MeetingDay, OnHoliday, move_off_holiday, recognise
from partnerships.conversations.models import (
    Format,
    Meeting,
    MeetingCycle,
    MeetingQuerySet,
    MeetingSeat,
    MeetingStatus,
)
from partnerships.conversations.quorum import Quorum, count_quorum
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.nations import holidays_of_any
from partnerships.organisations.queries import leads_with_account, with_account
from partnerships.people.models import User

#: Defaults for the first meeting of a partnership without a cycle.
_TIME, _MINUTES, _FORMAT = dt.time(10), 60, Format.VIDEO


def people_who_may_come(partnership: Partnership) -> QuerySet[User]:
    """People with an account who act for a present party, by name."""
    parties = Party.objects.present().filter(partnership=partnership)
    acting = Membership.objects.current().filter(organisation__in=parties.values("organisation"))
    return with_account(User.objects.filter(pk__in=acting.values("person")))


def usual_people(partnership: Partnership, today: dt.date) -> list[int]:
    """Ids of the people to invite by default.

    Of each party, these are the holders of its lead and deputy posts, or all its leads if it has no such posts.
    """
    person_ids: set[int] = set()
    parties = Party.objects.present().filter(partnership=partnership)
    for organisation in parties.values_list("organisation_id", flat=True):
        holder_ids = [
            person.pk
            for role in (PostRole.LEAD, PostRole.DEPUTY)
            for person in people_in_post(organisation, role, day=today, partnership=partnership)
        ]
        person_ids.update(holder_ids or leads_with_account([organisation]).values_list("pk", flat=True))
    return sorted(person_ids)


def people_invited(partnership: Partnership, last: Meeting | None, today: dt.date) -> list[int]:
    """Ids of the people to invite to the next meeting: the people of the last meeting, or else the usual people."""
    if last is None:
        return usual_people(partnership, today)
    return list(seated_people(last).values_list("pk", flat=True))


def side_of_person(partnership: Partnership, person: User) -> Organisation | None:
    """The present party for which the person acts; of several, one that is not an observer."""
    parties = Party.objects.present().filter(
        partnership=partnership, organisation__in=Organisation.objects.of_person(person)
    )
    parties_acted_for = sorted(
        parties.select_related("organisation"), key=lambda party: (party.role == PartyRole.OBSERVER, party.pk)
    )
    return parties_acted_for[0].organisation if parties_acted_for else None


def seated_people(meeting: Meeting) -> QuerySet[User]:
    """People invited to a meeting who may read it today, by name."""
    seats = MeetingSeat.objects.filter(meeting=meeting, person__isnull=False)
    return people_who_may_come(meeting.partnership).filter(pk__in=seats.values("person"))


def with_seats(meetings: MeetingQuerySet) -> MeetingQuerySet:
    """Fetch the partnership and all seats, by organisation and name."""
    seats = MeetingSeat.objects.select_related("organisation", "person").order_by(
        "organisation__name", "person__name", "name", "pk"
    )
    return meetings.select_related("partnership", "organisation").prefetch_related(Prefetch("seats", queryset=seats))


def coming_meetings(partnership: Partnership, user: User) -> list[Meeting]:
    """Planned meetings whose attendance is not recorded, the earliest first."""
    visible = Meeting.objects.visible_to(user).filter(partnership=partnership, status=MeetingStatus.PLANNED)
    return list(with_seats(visible).order_by("starts_at", "pk"))


def past_meetings(partnership: Partnership, user: User, limit: int) -> list[Meeting]:
    """Meetings held or called off, the newest first."""
    visible = Meeting.objects.visible_to(user).filter(partnership=partnership).exclude(status=MeetingStatus.PLANNED)
    return list(with_seats(visible).order_by("-starts_at", "-pk")[:limit])


def last_held_before(meeting: Meeting) -> Meeting | None:
    """The last meeting of the partnership that was held before this one."""
    meetings = Meeting.objects.filter(partnership=meeting.partnership_id, status=MeetingStatus.HELD)
    return meetings.filter(starts_at__lt=meeting.starts_at).order_by("-starts_at", "-pk").first()


def next_planned(meeting: Meeting) -> Meeting | None:
    """The next planned meeting after this one."""
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
        """A sentence about the bank holiday; "" without one."""
        if self.meeting_day.moved_from is not None:
            return "The usual day is a bank holiday, so the meeting has been moved."
        return "This day is a bank holiday." if self.meeting_day.is_holiday else ""


def running_cycle(partnership: Partnership) -> MeetingCycle | None:
    """The cycle that the partnership's leads set, unless it was stopped."""
    return MeetingCycle.objects.filter(partnership=partnership, stopped_at=None).first()


def cycle_from_terms(partnership: Partnership, today: dt.date) -> Cycle | None:
    """The cycle that the meeting frequency in the terms describes; None if it describes none.

    If the text names no weekday, the weekday is that of the last meeting, or today's.
    """
    guess = recognise(partnership.meeting_frequency)
    if guess is None:
        return None
    last = _last_meeting(partnership)
    return guess.cycle(last.day if last else today)


def _last_meeting(partnership: Partnership) -> Meeting | None:
    """The latest meeting that is planned or was held."""
    return partnership.meetings.exclude(status=MeetingStatus.CALLED_OFF).order_by("-starts_at", "-pk").first()


def meeting_holidays(partnership: Partnership) -> frozenset[dt.date]:
    """Bank holidays of any present party that is not an observer."""
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    return holidays_of_any(Organisation.objects.filter(pk__in=parties.values("organisation")).select_related("region"))


def propose_next(partnership: Partnership, now: dt.datetime) -> NextMeeting | None:
    """A proposal for the next meeting, after the last one that is planned or was held; None without a cycle.

    A meeting that was called off does not count, so its day is proposed again as long as it lies ahead. Time and place
    come from the cycle that leads have set, or else from the last meeting.
    """
    today = timezone.localdate(now)
    last = _last_meeting(partnership)
    set_cycle = running_cycle(partnership)
    cycle = set_cycle.cycle if set_cycle else cycle_from_terms(partnership, today)
    if cycle is None:
        return None

    after = today if last is None else max(today, last.day, last.cycle_day or last.day)
    cycle_day = cycle.next_day(after=after)
    on_holiday = OnHoliday(set_cycle.on_holiday) if set_cycle else OnHoliday.LATER
    meeting_day = move_off_holiday(cycle_day, meeting_holidays(partnership), on_holiday)

    time = _TIME
    if set_cycle:
        time = set_cycle.time
    elif last:
        time = timezone.localtime(last.starts_at).time()
    pattern = set_cycle or last
    return NextMeeting(
        starts_at=timezone.make_aware(dt.datetime.combine(meeting_day.day, time)),
        cycle_day=cycle_day,
        meeting_day=meeting_day,
        minutes=pattern.minutes if pattern else _MINUTES,
        format=pattern.format if pattern else _FORMAT,
        place=pattern.place if pattern else "",
        link=pattern.link if pattern else "",
        words=cycle.words,
    )


def quorum_of(meeting: Meeting) -> Quorum | None:
    """The quorum recorded at the meeting; None before it was held."""
    if meeting.quorum_present is None:
        return None
    return Quorum(meeting.quorum_present, meeting.quorum_needed)


def expected_quorum(meeting: Meeting, coming: set[int]) -> Quorum:
    """The quorum if these organisations (ids) come."""
    parties = Party.objects.present().filter(partnership=meeting.partnership_id).exclude(role=PartyRole.OBSERVER)
    counted = set(parties.values_list("organisation_id", flat=True))
    return count_quorum(counted=counted, present=coming, needed=meeting.partnership.quorum)
