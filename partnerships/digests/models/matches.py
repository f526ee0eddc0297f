"""Notes about matches of asks and offers that people are to be told about, one for each person and match."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from partnerships.digests.models.deliveries import Delivery
from partnerships.exchange.models import Entry
from partnerships.people.models import User


class MatchNotice(models.Model):
    """A note that one person is to be told about a match.

    The person acts for one of the two organisations of the match. Each person gets a match only once, even if the match
    is found again.

    * `noted_at` is when the match was found for the person.
    * `due_at` is when the next digest to the person may mention the match; None until that time is worked out.
    * `slotted` is true if `due_at` is an hour that the person chose for digests, and false if they get digests at once.
    * `told_at` is set when an email mentions the match, or when the person can no longer see the match.
    """

    # No index of its own: the index of the unique constraint begins with the recipient.
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    offer = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    noted_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    slotted = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True, blank=True)
    # `Delivery` is a database view: a foreign key cannot refer to it, and Django must not change its rows.
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
