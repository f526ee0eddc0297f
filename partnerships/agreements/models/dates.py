"""Notices that parties give, and reminders of dates."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from partnerships.agreements.models.partnership import Partnership
from partnerships.agreements.models.party import Party
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class DateKind(models.TextChoices):
    """The dates of a partnership about which leads get reminders."""

    START = "start", "Start"
    REVIEW = "review", "Review"
    END = "end", "End"
    NOTICE = "notice", "Last day to give notice"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Filters for notices that have yet to take effect."""

    def pending(self) -> NoticeQuerySet:
        """Return notices that are neither withdrawn nor carried out."""
        return self.filter(withdrawn_at=None, done_at=None)

    def past_last_day(self, day: dt.date) -> NoticeQuerySet:
        """Return pending notices whose last day is before this day."""
        return self.pending().filter(last_day__lt=day)


@pghistory.track()
class Notice(models.Model):
    """A party's notice that it leaves.

    A notice is open until it is withdrawn or carried out. On the day after `last_day`, the party leaves. If the
    partnership cannot continue without the party, the partnership ends. A party has at most one open notice in a
    partnership.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="notices")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    #: The last day on which the party takes part.
    last_day = models.DateField()
    ends_partnership = models.BooleanField(help_text="Tick if the partnership cannot continue without this party.")

    given_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    given_at = models.DateTimeField()

    # How the notice was closed. At most one of `withdrawn_at` and `done_at` is set.
    withdrawn_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_because = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True, help_text="When the notice took effect.")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "notice to leave"
        verbose_name_plural = "notices to leave"
        constraints = [
            models.UniqueConstraint(
                fields=["partnership", "organisation"],
                condition=Q(withdrawn_at=None, done_at=None),
                name="unique_open_notice_per_party",
                violation_error_message="This organisation has already given notice. Withdraw that notice first.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(done_at=None), name="notice_not_withdrawn_and_carried_out"
            ),
        ]
        indexes = [
            models.Index(fields=["last_day"], condition=Q(withdrawn_at=None, done_at=None), name="notice_due"),
        ]

    def __str__(self) -> str:
        return f"Notice {self.pk}"

    @property
    def is_open(self) -> bool:
        """Return whether the notice is neither withdrawn nor carried out."""
        return self.withdrawn_at is None and self.done_at is None


@pghistory.track()
class DateChoice(models.Model):
    """The dates about which a party wants reminders, and how many days before.

    For example, `dates` are review and end, and `days` are 90 and 30. If either list is empty, the leads of the party
    get no reminders.
    """

    party = models.OneToOneField(Party, on_delete=models.CASCADE, related_name="date_choice")
    days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    dates = ArrayField(models.CharField(max_length=6, choices=DateKind), default=list, blank=True)

    class Meta:
        verbose_name = "choice of reminders of dates"
        verbose_name_plural = "choices of reminders of dates"

    def __str__(self) -> str:
        return f"{self.party_id}: {self.days}"


class DateReminder(models.Model):
    """An emailed reminder of a date of a partnership, to one person, some days before the date.

    The row is written in the same transaction as the email. It is unique for each lead time, so nobody is reminded
    twice.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=6, choices=DateKind)
    on = models.DateField()
    days_before = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "reminder of a date"
        verbose_name_plural = "reminders of dates"
        constraints = [
            models.UniqueConstraint(
                fields=["partnership", "person", "kind", "on", "days_before"], name="unique_date_reminder_per_lead_time"
            )
        ]
        indexes = [models.Index(fields=["on"], name="date_reminder_day")]

    def __str__(self) -> str:
        return f"Reminder {self.pk}"
