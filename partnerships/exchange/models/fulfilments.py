"""Links between entries and the commitments that meet them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.commitments.models import Commitment
from partnerships.exchange.models.answers import Response
from partnerships.exchange.models.entries import Entry
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class FulfilmentQuerySet(models.QuerySet["Fulfilment"]):
    """Filters for links by reader, who must be able to read both the entry and the commitment."""

    def visible_to(self, user: User | AnonymousUser) -> FulfilmentQuerySet:
        """Return links whose entry and commitment the person may both read."""
        return self.filter(entry__in=Entry.objects.visible_to(user), commitment__in=Commitment.objects.visible_to(user))


@pghistory.track()
class Fulfilment(models.Model):
    """A link between an entry and a commitment that meets the entry, in whole or in part.

    Several commitments can meet an entry, and a commitment can meet several entries.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="fulfilments")
    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="fulfilments")
    response = models.ForeignKey(Response, on_delete=models.SET_NULL, null=True, blank=True, related_name="fulfilments")
    #: How much of the entry the commitment meets, in the entry's unit; None for all that the commitment promises.
    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)

    objects = FulfilmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "commitment"], name="unique_fulfilment_per_commitment"),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gt=0),
                name="fulfilment_quantity_positive",
                violation_error_message="The quantity must be more than 0.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.commitment_id} meets {self.entry_id}"

    @property
    def answer_id(self) -> int | None:
        """Return the id of the accepted answer to this entry that the commitment came from, if any.

        Needs `response` to be fetched. The commitment is also linked to the answering organisation's own entry. There,
        `response` is not an answer to the entry, so this is None.
        """
        if self.response is None:
            return None
        is_answer_to_entry = self.response.entry_id == self.entry_id
        return self.response_id if is_answer_to_entry and self.response.is_accepted else None

    @property
    def has_same_unit(self) -> bool:
        """Return whether the commitment has a quantity in the entry's unit. Needs both to be fetched."""
        return self.commitment.quantity is not None and self.commitment.unit == self.entry.unit

    @property
    def share(self) -> Decimal | None:
        """Return how much of the entry the commitment meets, in the entry's unit; None if nobody has entered it.

        Needs entry, commitment and response to be fetched.
        """
        if self.quantity is not None:
            return self.quantity
        if self.has_same_unit:
            return self.commitment.quantity
        if self.response is not None and self.answer_id:
            return self.response.agreed_quantity
        return None

    @property
    def share_words(self) -> str:
        """Return the part of the commitment as text, such as `20 homes of this`; "" if it is the whole commitment.

        Needs entry and commitment to be fetched.
        """
        if self.quantity is None or (self.has_same_unit and self.quantity == self.commitment.quantity):
            return ""
        return f"{self.entry.in_words(self.quantity)} of this"
