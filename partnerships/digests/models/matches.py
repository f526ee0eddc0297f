"""Matches of asks and offers, each of which a person is told only once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from partnerships.digests.models.deliveries import Delivery
from partnerships.exchange.models import Entry
from partnerships.people.models import User


class MatchNotice(models.Model):
    """A match that is to be sent, or was sent, to a person who acts for one of its sides.

    Each person gets a match only once, even if it is found again. `told_at` is set when an email mentions the match, or
    when the person can no longer see it.
    """

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    offer = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    noted_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    slotted = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True, blank=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="matches", db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "ask", "offer"], name="one_telling_a_match"),
        ]
        indexes = [
            models.Index(fields=["due_at", "recipient"], name="match_to_tell", condition=Q(told_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id}: {self.ask_id} and {self.offer_id}"
