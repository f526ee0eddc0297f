"""The secret addresses at which calendar apps read dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.kit.addresses import page_address
from partnerships.kit.calendars import CalendarKind
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class CalendarAddressQuerySet(models.QuerySet["CalendarAddress"]):
    """Filters for calendar addresses by owner."""

    def visible_to(self, user: User | AnonymousUser) -> CalendarAddressQuerySet:
        """Return the person's own addresses."""
        return self.filter(person=user) if user.is_authenticated else self.none()


@pghistory.track(exclude=["digest", "read_at"])
class CalendarAddress(models.Model):
    """A secret address at which a calendar app reads the dates of a person, of a partnership or of a saved view.

    Only the SHA-256 of the secret is stored. The calendar shows what the owner may read at the moment of reading. The
    address stops working when

    * the owner renews or ends it;
    * the owner's account is closed;
    * the owner's organisations no longer take part in the partnership;
    * the owner can no longer open the saved view.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_addresses")
    partnership = models.ForeignKey(
        Partnership,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="If this and the view are empty, the calendar shows the person’s own dates.",
    )
    view_number = models.BigIntegerField(
        "saved view", null=True, blank=True, help_text="The id of a saved view of a list."
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret in the address.")
    kinds = ArrayField(
        models.CharField(max_length=10, choices=CalendarKind), help_text="The kinds of dates that the calendar shows."
    )
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(
        null=True, blank=True, help_text="When a calendar app last read the address, rounded to the hour."
    )

    objects = CalendarAddressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "calendar addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "partnership", "view_number"],
                nulls_distinct=False,
                name="unique_address_per_calendar",
            ),
            models.CheckConstraint(
                condition=Q(partnership=None) | Q(view_number=None), name="calendar_has_partnership_or_view"
            ),
            models.CheckConstraint(condition=~Q(kinds=[]), name="calendar_has_kinds"),
        ]

    def __str__(self) -> str:
        return f"Calendar address {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the page on which the owner changes the address."""
        if self.view_number is not None:
            return reverse("calendars:view", args=[self.view_number])
        if self.partnership_id is None:
            return reverse("calendars:own")
        return page_address("calendars:partnership", self.partnership_id)

    @property
    def kinds_in_words(self) -> list[str]:
        """Return the labels of the kinds of date that the calendar shows."""
        return [str(kind.label) for kind in CalendarKind if kind.value in self.kinds]


#: `read_at` is written at most once in this time, because an app may read the address every few minutes.
READ_AT_INTERVAL = dt.timedelta(hours=1)
