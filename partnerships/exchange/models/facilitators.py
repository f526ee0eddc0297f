"""Facilitators of one ask or offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.exchange.models.entries import Entry
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class EntryFacilitatorQuerySet(models.QuerySet["EntryFacilitator"]):
    """Filters for facilitators by reader, and for those who still have the role."""

    def visible_to(self, user: User | AnonymousUser) -> EntryFacilitatorQuerySet:
        """Return facilitators of entries that the person may read."""
        return self.filter(entry__in=Entry.objects.visible_to(user).values("pk"))

    def active(self) -> EntryFacilitatorQuerySet:
        """Return the facilitators who have not been removed and still act for their organisation."""
        current_memberships = Membership.objects.current().filter(
            person=models.OuterRef("person"), organisation=models.OuterRef("organisation")
        )
        return self.filter(models.Exists(current_memberships), ended_at=None)

    def for_listing(self) -> EntryFacilitatorQuerySet:
        """Return facilitators with person, organisation and entry fetched."""
        return self.select_related("person", "organisation", "entry__organisation")


@pghistory.track()
class EntryFacilitator(models.Model):
    """A person who helps the organisations of one ask or offer to agree, and sees when it is stuck.

    The role is named → ended, with a reason. It gives no right to read the entry: a facilitator must have that already.
    A person has the role for an entry at most once at a time.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="facilitators")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    named_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    named_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    end_reason = models.TextField(blank=True)

    objects = EntryFacilitatorQuerySet.as_manager()

    class Meta:
        verbose_name = "facilitator of an ask or offer"
        verbose_name_plural = "facilitators of asks and offers"
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "person"], condition=Q(ended_at=None), name="unique_current_entry_facilitator"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | ~Q(end_reason=""), name="ended_entry_facilitator_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"Facilitator {self.pk} of entry {self.entry_id}"
