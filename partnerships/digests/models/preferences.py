"""How often and when each person wants digests."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import replace

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from partnerships.digests import schedule
from partnerships.kit.bank_holidays import NATIONS
from partnerships.people.models import User


class Frequency(models.TextChoices):
    """How often a person wants digests."""

    AT_ONCE = schedule.AT_ONCE, "At once"
    DAILY = schedule.DAILY, "Daily"
    WEEKLY = schedule.WEEKLY, "Weekly"
    FORTNIGHTLY = schedule.FORTNIGHTLY, "Every two weeks"
    MONTHLY = schedule.MONTHLY, "Monthly"


class Weekday(models.IntegerChoices):
    """Days of the week, numbered as in `datetime.date.weekday`."""

    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


def _link_key() -> str:
    """Return a new random key for signing a person's links."""
    return secrets.token_hex(16)


@pghistory.track(exclude=["link_key"])
class Preference(models.Model):
    """How often and when one person wants digests and summaries.

    `hour` is in the person's own time zone (`User.time_zone`). `link_key` is part of every signed link in their emails,
    so a new key makes all earlier links invalid.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="digest_preference")

    # How often and when emails are sent.
    frequency = models.CharField(max_length=8, choices=Frequency, default=Frequency.AT_ONCE)
    hour = models.PositiveSmallIntegerField(default=8, validators=[MinValueValidator(0), MaxValueValidator(23)])
    weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    working_days_of = models.CharField(
        max_length=17,
        choices=list(NATIONS.items()),
        blank=True,
        default="",
        db_default="",
        help_text="The nation on whose weekends and bank holidays no digests are sent. Empty for digests on any day.",
    )
    days = models.PositiveSmallIntegerField(
        default=schedule.EVERY_DAY,
        db_default=schedule.EVERY_DAY,
        validators=[MinValueValidator(1), MaxValueValidator(schedule.EVERY_DAY)],
        help_text="The days on which emails may come, as a sum: Monday 1, Tuesday 2, Wednesday 4, and so on.",
    )
    more_hours = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Further hours for the summary of notices, as a sum: 1 for midnight, 2 for 01:00, and so on.",
    )

    tells_matches = models.BooleanField(
        default=True,
        help_text="Whether to send new matches of their organisation’s asks and offers. Only for people with an "
        "account.",
    )

    # When no emails are sent.
    paused_from = models.DateField(
        null=True, blank=True, help_text="The first day of the pause. Empty if the pause started at once."
    )
    paused_until = models.DateField(null=True, blank=True, help_text="The first day on which digests may come again.")
    refused_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the person stopped all emails. We then send them nothing if anyone enters their address.",
    )

    link_key = models.CharField(max_length=32, default=_link_key, editable=False)
    introduced_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the first email said who has the person’s address and why (UK GDPR Article 14).",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hour__lte=23), name="preference_hour_in_range"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="preference_weekday_in_range"),
            models.CheckConstraint(
                condition=Q(days__gte=1, days__lte=schedule.EVERY_DAY), name="preference_days_in_range"
            ),
        ]
        indexes = [
            models.Index(fields=["paused_until"], name="preference_paused", condition=Q(paused_until__isnull=False))
        ]

    def __str__(self) -> str:
        return f"Preference of {self.person_id}"

    def current_pause_end(self, now: dt.datetime, zone: str) -> dt.date | None:
        """Return the first day on which digests may be sent again, if they are paused now; otherwise None."""
        is_paused = schedule.is_paused(self.paused_from, self.paused_until, schedule.local_day(now, zone))
        return self.paused_until if is_paused else None

    @property
    def chosen_days(self) -> list[int]:
        """Return the days on which emails may be sent; Monday is 0."""
        return [day for day in range(7) if self.days >> day & 1]

    @property
    def chosen_further_hours(self) -> list[int]:
        """Return the further hours at which the summary of notices may be sent."""
        return [hour for hour in range(24) if self.more_hours >> hour & 1]

    def pause_end(self, now: dt.datetime, zone: str) -> dt.date | None:
        """Return the end of a pause that has begun or will begin; None without a pause, or if it is over."""
        if self.paused_until is None or self.paused_until <= schedule.local_day(now, zone):
            return None
        return self.paused_until

    def has_future_pause(self, now: dt.datetime, zone: str) -> bool:
        """Return True if a pause is set that has not begun yet."""
        return self.paused_from is not None and self.paused_from > schedule.local_day(now, zone)

    def rhythm(self, zone: str, frequency: str = "") -> schedule.Rhythm:
        """Return when digests are sent in a time zone; a `frequency` overrides the preference's own."""
        return schedule.Rhythm(
            frequency=frequency or self.frequency,
            hour=self.hour,
            weekday=self.weekday,
            working_days_of=self.working_days_of,
            zone=zone,
            paused_until=self.paused_until,
            days=self.days,
            paused_from=self.paused_from,
        )

    def summary_rhythm(self, zone: str) -> schedule.Rhythm:
        """Return when summaries of notices are sent: on every chosen day, up to three times a day."""
        return replace(self.rhythm(zone, Frequency.DAILY), days=self.days, more_hours=self.more_hours)
