"""Saved filters, and the new entries that match them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.urls import reverse

from partnerships.exchange.models.entries import Entry
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """Saved filters; each belongs to one person."""

    def visible_to(self, user: User | AnonymousUser) -> SavedFilterQuerySet:
        """The person's own filters."""
        return self.filter(person_id=user.pk) if user.is_authenticated else self.none()


class SavedFilter(models.Model):
    """A filter of the board with a name.

    `query` is the query string of the board's address.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=1000)
    chosen = models.JSONField(default=dict, help_text="The same as `queries.board.Filters`.")
    tells = models.BooleanField("email me when something new matches", default=True)
    created_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True, blank=True, help_text="When an email about it was last recorded.")

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "name"],
                name="one_saved_filter_a_name",
                violation_error_message="You already have a filter with this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The board with this filter."""
        return f"{reverse('exchange:board')}?{self.query}"


class Fit(models.Model):
    """A new entry that matches a saved filter; its person is emailed once."""

    saved_filter = models.ForeignKey(SavedFilter, on_delete=models.CASCADE, related_name="fits")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="fits")
    found_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["saved_filter", "entry"], name="one_fit_a_filter")]
        indexes = [models.Index(fields=["saved_filter"], name="fit_to_tell", condition=Q(told_at=None))]

    def __str__(self) -> str:
        return f"{self.entry_id} fits {self.saved_filter_id}"
