"""Meetings of a partnership, who comes, and when it meets next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole, PostRole
from partnerships.agreements.queries.posts import people_in_post
from partnerships.conversations.cycle import Cycle, OnHoliday, Settled, recognise, settle
from partnerships.conversations.models import (
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

#: What a first meeting has before anybody chose.
_TIME, _MINUTES = dt.time(10), 60


def people_who_may_come(partnership: Partnership) -> QuerySet[User]:
    """People with an account who act for a present party, by name."""
    parties = Party.objects.present().filter(partnership=partnership)
    acting = Membership.objects.current().filter(organisation__in=parties.values("organisation"))
    return with_account(User.objects.filter(pk__in=acting.values("person")))


def usual_people(partnership: Partnership, today: dt.date) -> list[int]:
    """Ids of the people invited by default.

    Of each party: the holders of its lead and deputy posts, or all its leads if it has none.
    """
    people: set[int] = set()
    parties = Party.objects.present().filter(partnership=partnership)
    for organisation in parties.values_list("organisation_id", flat=True):
        holders = [
            person.pk
            for role in (PostRole.LEAD, PostRole.DEPUTY)
            for person in people_in_post(organisation, role, day=today, partnership=partnership)
        ]
        people.update(holders or leads_with_account([organisation]).values_list("pk", flat=True))
    return sorted(people)


def people_invited(partnership: Partnership, last: Meeting | None, today: dt.date) -> list[int]:
    """Ids of those to invite next: as last time, else the usual people."""
    if last is None:
        return usual_people(partnership, today)
    return list(seated_people(last).values_list("pk", flat=True))


def side_of_person(partnership: Partnership, person: User) -> Organisation | None:
    """The present party that the person acts for; one that counts comes first."""
    parties = Party.objects.present().filter(
        partnership=partnership, organisation__in=Organisation.objects.of_person(person)
    )
    sides_acted_for = sorted(
        parties.select_related("organisation"), key=lambda party: (party.role == PartyRole.OBSERVER, party.pk)
    )
    return sides_acted_for[0].organisation if sides_acted_for else None


def seated_people(meeting: Meeting) -> QuerySet[User]:
    """People invited to a meeting who may read it today, by name."""
    seats = MeetingSeat.objects.filter(meeting=meeting, person__isnull=False)
    return people_who_may_come(meeting.partnership).filter(pk__in=seats.values("person"))


def with_seats(meetings: MeetingQuerySet) -> MeetingQuerySet:
    """Fetch the partnership and everybody invited, by organisation and name."""
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
    """A proposal for the next meeting, from the cycle and from the last one.

    `cycle_day` is the day before it was moved from a bank holiday.
    """

    starts_at: dt.datetime
    cycle_day: dt.date
    settled: Settled
    minutes: int
    format: str
    place: str
    link: str
    words: str

    @property
    def holiday_words(self) -> str:
        """A sentence about the bank holiday; empty without one."""
        if self.settled.moved_from is not None:
            return "The usual day is a bank holiday, so the meeting has been moved."
        return "This day is a bank holiday." if self.settled.is_holiday else ""


def running_cycle(partnership: Partnership) -> MeetingCycle | None:
    """The cycle that proposes its meetings."""
    return MeetingCycle.objects.filter(partnership=partnership, stopped_at=None).first()


def cycle_from_terms(partnership: Partnership, today: dt.date) -> Cycle | None:
    """The cycle that the meeting frequency in the terms describes, or None.

    Days that the text leaves open are those of the last meeting, or today's.
    """
    guess = recognise(partnership.meeting_frequency)
    if guess is None:
        return None
    last = partnership.meetings.exclude(status=MeetingStatus.CALLED_OFF).order_by("-starts_at", "-pk").first()
    return guess.cycle(last.day if last else today)


def meeting_holidays(partnership: Partnership) -> frozenset[dt.date]:
    """Bank holidays of any present party that is not an observer."""
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    return holidays_of_any(Organisation.objects.filter(pk__in=parties.values("organisation")).select_related("region"))


def propose_next(partnership: Partnership, now: dt.datetime) -> NextMeeting | None:
    """The next meeting after the last one planned or held.

    None without a cycle. A meeting that was called off does not count, so its day is proposed again while it is still
    to come. Time and place are the cycle's, else those of the last meeting.
    """
    today = timezone.localdate(now)
    last = partnership.meetings.exclude(status=MeetingStatus.CALLED_OFF).order_by("-starts_at", "-pk").first()
    set_one = running_cycle(partnership)
    cycle = set_one.cycle if set_one else cycle_from_terms(partnership, today)
    if cycle is None:
        return None
    after = today if last is None else max(today, last.day, last.cycle_day or last.day)
    choice = OnHoliday(set_one.on_holiday) if set_one else OnHoliday.LATER
    day = cycle.next_day(after=after)
    settled = settle(day, meeting_holidays(partnership), choice)
    like = set_one or last
    time = set_one.time if set_one else timezone.localtime(last.starts_at).time() if last else _TIME
    return NextMeeting(
        starts_at=timezone.make_aware(dt.datetime.combine(settled.day, time)),
        cycle_day=day,
        settled=settled,
        minutes=like.minutes if like else _MINUTES,
        format=like.format if like else "video",
        place=like.place if like else "",
        link=like.link if like else "",
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
