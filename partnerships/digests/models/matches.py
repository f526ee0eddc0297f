"""Matches of asks and offers about which people get notified, with one row for each person and match."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from partnerships.digests.models.deliveries import Delivery
from partnerships.exchange.models import Entry
from partnerships.people.models import User


class MatchNotice(models.Model):
    """A match of an ask and an offer about which one person is to be notified.

    The person acts for one of the two organisations. Each person is notified about a match only once, even if the match
    is found again.
    """

    # The index of the unique constraint begins with the recipient, so this field needs no index.
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    offer = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    #: When the match was found for the person.
    noted_at = models.DateTimeField()
    #: When the next digest to the person may mention the match; None until that time is worked out.
    due_at = models.DateTimeField(null=True, blank=True)
    #: Whether `due_at` is an hour that the person chose for digests. False if they get digests at once.
    slotted = models.BooleanField(default=False)
    #: When an email mentioned the match, or when the person could no longer see the match.
    told_at = models.DateTimeField(null=True, blank=True)
    # `Delivery` is a database view, so no constraint can refer to it, and Django must not change its rows.
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="matches", db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "ask", "offer"], name="unique_match_notice_per_recipient"),
        ]
        indexes = [
            models.Index(fields=["due_at", "recipient"], name="match_notice_due", condition=Q(told_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id}: {self.ask_id} and {self.offer_id}"
