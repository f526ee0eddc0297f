"""Filters that a person keeps, and what new entries fit them."""

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
    """Saved filters belong to one person."""

    def visible_to(self, user: User | AnonymousUser) -> SavedFilterQuerySet:
        """The person's own: nobody else's, whatever their rights."""
        return self.filter(person_id=user.pk) if user.is_authenticated else self.none()


class SavedFilter(models.Model):
    """A filter of the board under a name of its person's choosing. `query` is the address's own query string."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=1000)
    chosen = models.JSONField(default=dict, help_text="The same as `queries.board.Filters`.")
    tells = models.BooleanField("email me when something new fits", default=True)
    created_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True, blank=True, help_text="When a letter about it was last tried.")

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "name"],
                name="one_saved_filter_a_name",
                violation_error_message="You already have a filter of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The board with this filter."""
        return f"{reverse('exchange:board')}?{self.query}"


class Fit(models.Model):
    """A newly shared entry fits a saved filter: told to its person once."""

    saved_filter = models.ForeignKey(SavedFilter, on_delete=models.CASCADE, related_name="fits")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="fits")
    found_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["saved_filter", "entry"], name="one_fit_a_filter")]
        indexes = [models.Index(fields=["saved_filter"], name="fit_to_tell", condition=Q(told_at=None))]

    def __str__(self) -> str:
        return f"{self.entry_id} fits {self.saved_filter_id}"
