"""Meetings of a partnership, their cycle, and who may read them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.models import FORMER_STATUSES, PEOPLE_OF_PRESENT_PARTIES, Partnership
from partnerships.conversations.cycle import MAX_INTERVAL, Cycle, OnHoliday, Unit
from partnerships.conversations.models.choices import Format
from partnerships.conversations.models.conversations import Conversation
from partnerships.kit.addresses import page_address
from partnerships.kit.dates import long_date
from partnerships.organisations.audience import Organisations, Route, readers_of, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

_PARTY = "partnership__parties"
#: Who may read a meeting (docs/rights.md): people of present parties, and people of former parties if the meeting
#: began before their party left.
MEETING_ROUTES: tuple[Route, ...] = (
    PEOPLE_OF_PRESENT_PARTIES,
    Organisations(
        f"{_PARTY}__organisation",
        when=Q(**{f"{_PARTY}__status__in": FORMER_STATUSES}) & Q(starts_at__lte=F(f"{_PARTY}__left_at")),
    ),
)


class MeetingStatus(models.TextChoices):
    """The status of a meeting (see `Meeting`)."""

    PLANNED = "planned", "Planned"
    HELD = "held", "Held"
    CALLED_OFF = "called_off", "Called off"


class HolidayChoice(models.TextChoices):
    """How the cycle treats a date that is a bank holiday."""

    KEEP = OnHoliday.KEEP.value, "Keep the date, and say that it is a bank holiday"
    LATER = OnHoliday.LATER.value, "Move it to the next working day"
    EARLIER = OnHoliday.EARLIER.value, "Move it to the working day before"


class CycleUnit(models.TextChoices):
    """The unit of a cycle's interval."""

    WEEKS = Unit.WEEKS.value, "weeks"
    MONTHS = Unit.MONTHS.value, "months"


@pghistory.track()
class MeetingCycle(models.Model):
    """How often a partnership meets, at what time and where, as its leads set it.

    The cycle only proposes the next meeting, which people then plan. The cycle runs until `stopped_at`.
    """

    partnership = models.OneToOneField(Partnership, on_delete=models.CASCADE, related_name="meeting_cycle")

    # The days of the meetings.
    unit = models.CharField(max_length=6, choices=CycleUnit)
    interval = models.PositiveSmallIntegerField()
    weekday = models.PositiveSmallIntegerField(help_text="0 is Monday and 6 is Sunday.")
    position = models.SmallIntegerField(
        help_text="Which of these weekdays in the month: 1 is the first, -1 the last. 0 if the cycle counts weeks."
    )
    starts_on = models.DateField()

    # Time and place.
    time = models.TimeField()
    minutes = models.PositiveSmallIntegerField(help_text="The length of each meeting in minutes.")
    format = models.CharField(max_length=10, choices=Format)
    place = models.CharField(max_length=200, blank=True)
    link = models.URLField(max_length=500, blank=True)
    on_holiday = models.CharField(max_length=7, choices=HolidayChoice, default=HolidayChoice.LATER)

    # Who set the cycle, and when it stopped.
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    set_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(interval__range=(1, MAX_INTERVAL)), name="meeting_cycle_interval_in_range"
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="meeting_cycle_weekday_in_range"),
            models.CheckConstraint(
                condition=Q(unit=CycleUnit.WEEKS, position=0) | Q(unit=CycleUnit.MONTHS, position__in=[1, 2, 3, 4, -1]),
                name="meeting_cycle_position_fits_unit",
            ),
        ]

    def __str__(self) -> str:
        return f"Meeting cycle {self.pk}"

    @property
    def cycle(self) -> Cycle:
        """Return the cycle as a value that computes the days of meetings."""
        return Cycle(
            unit=Unit(self.unit),
            interval=self.interval,
            weekday=self.weekday,
            position=self.position,
            starts_on=self.starts_on,
        )

    @property
    def is_running(self) -> bool:
        """Return whether the cycle still proposes meetings."""
        return self.stopped_at is None


class MeetingQuerySet(models.QuerySet["Meeting"]):
    """Filters for meetings by reader and by state."""

    def visible_to(self, user: User | AnonymousUser) -> MeetingQuerySet:
        """Return the meetings that the person may read."""
        return self.filter(visible_to(Meeting, MEETING_ROUTES, user))

    def with_party_of(self, user: User | AnonymousUser) -> MeetingQuerySet:
        """Return the meetings of partnerships in which the person takes part at present."""
        return self.filter(visible_to(Meeting, (PEOPLE_OF_PRESENT_PARTIES,), user))

    def upcoming(self, now: dt.datetime) -> MeetingQuerySet:
        """Return the planned meetings that have not begun."""
        return self.filter(status=MeetingStatus.PLANNED, starts_at__gte=now)


@pghistory.track()
class Meeting(models.Model):
    """A meeting of a partnership: planned → held, or called off with a reason.

    The agenda can change until it is circulated (`agenda_sent_at`). When attendance is recorded, the meeting becomes
    held, and the quorum of that day is stored.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="meetings")
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The organisation that arranges the meeting.",
    )
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=MeetingStatus, default=MeetingStatus.PLANNED)

    # Time and place.
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(help_text="The length of the meeting in minutes.")
    format = models.CharField(max_length=10, choices=Format)
    place = models.CharField(max_length=200, blank=True)
    link = models.URLField(max_length=500, blank=True)

    # The invitation and the agenda.
    note = models.TextField(blank=True, help_text="A note to the people invited.")
    cycle_day = models.DateField(
        null=True, blank=True, help_text="The date in the meeting cycle that this meeting is for."
    )
    reason = models.TextField(blank=True, help_text="Why the meeting was called off.")
    agenda_sent_at = models.DateTimeField(null=True, blank=True)

    # What was recorded at the meeting.
    quorum_needed = models.PositiveSmallIntegerField(null=True, blank=True)
    quorum_present = models.PositiveSmallIntegerField(null=True, blank=True)
    attendance_at = models.DateTimeField(null=True, blank=True, help_text="When attendance was recorded.")
    attendance_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: The conversation whose record is the minutes of the meeting.
    conversation = models.OneToOneField(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="meeting"
    )

    tells_stakeholders = models.BooleanField(
        "tell stakeholders",
        default=False,
        help_text="We tell stakeholders without an account the meeting’s title, date and status.",
    )

    #: Grows with each change of the agenda, so that nobody overwrites a change that they have not seen.
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    key = models.UUIDField(
        null=True,
        blank=True,
        unique=True,
        help_text="A key from the form, so that sending the form twice plans one meeting.",
    )

    objects = MeetingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=MeetingStatus.CALLED_OFF) | ~Q(reason=""), name="called_off_meeting_has_reason"
            ),
            models.CheckConstraint(
                condition=~Q(status=MeetingStatus.HELD) | Q(attendance_at__isnull=False, quorum_present__isnull=False),
                name="held_meeting_has_attendance",
            ),
        ]
        indexes = [
            models.Index(fields=["partnership", "-starts_at", "-id"], name="meeting_partnership"),
            models.Index(
                fields=["partnership", "starts_at"], condition=Q(status=MeetingStatus.PLANNED), name="meeting_planned"
            ),
        ]

    def __str__(self) -> str:
        # Without the title: administrators see this text, and the title is private to the partners.
        return f"Meeting {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the meeting's page."""
        return page_address("conversations:meeting", self.pk)

    @property
    def day(self) -> dt.date:
        """Return the day of the meeting, in local time."""
        return timezone.localdate(self.starts_at)

    @property
    def ends_at(self) -> dt.datetime:
        """Return the time at which the meeting ends."""
        return self.starts_at + dt.timedelta(minutes=self.minutes)

    @property
    def date_and_time(self) -> str:
        """Return the day and time as text, such as `1 December 2026, 10:30`, in local time."""
        starts_at = timezone.localtime(self.starts_at)
        return f"{long_date(starts_at.date())}, {starts_at:%H:%M}"

    @property
    def location(self) -> str:
        """Return the place; without a place the link, and without both the type of meeting."""
        return self.place or self.link or self.get_format_display()

    @property
    def is_planned(self) -> bool:
        """Return whether the meeting is planned, with no attendance recorded yet."""
        return self.status == MeetingStatus.PLANNED

    @property
    def is_held(self) -> bool:
        """Return whether the meeting took place and its attendance is recorded."""
        return self.status == MeetingStatus.HELD

    @property
    def is_called_off(self) -> bool:
        """Return whether the meeting was called off."""
        return self.status == MeetingStatus.CALLED_OFF

    @property
    def ended_words(self) -> str:
        """Return how a meeting that is no longer planned ended, for use in a sentence."""
        return "was called off" if self.is_called_off else "has taken place"

    @property
    def is_frozen(self) -> bool:
        """Return whether the agenda can no longer change."""
        return self.agenda_sent_at is not None or not self.is_planned

    @property
    def quorum_met(self) -> bool | None:
        """Return whether enough parties were present; None before the meeting, or if the terms set no quorum."""
        if self.quorum_present is None or self.quorum_needed is None:
            return None
        return self.quorum_present >= self.quorum_needed


def meeting_readers(meeting: Meeting) -> models.QuerySet[User]:
    """Return the people who may read a meeting."""
    return readers_of(Meeting, MEETING_ROUTES, meeting)
