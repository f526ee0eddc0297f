"""Which commitments meet which entries: one entry may be met by several, one commitment may meet several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models

from partnerships.commitments.models import Commitment
from partnerships.exchange.models.answers import Response
from partnerships.exchange.models.entries import Entry
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class FulfilmentQuerySet(models.QuerySet["Fulfilment"]):
    """Links by who may see both of their ends."""

    def visible_to(self, user: User | AnonymousUser) -> FulfilmentQuerySet:
        """Those whose entry and commitment the person may both read."""
        return self.filter(entry__in=Entry.objects.visible_to(user), commitment__in=Commitment.objects.visible_to(user))


@pghistory.track()
class Fulfilment(models.Model):
    """A commitment meets an entry, wholly or in part; `counted`: its quantity is in what the entry has agreed."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="fulfilments")
    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="fulfilments")
    response = models.ForeignKey(Response, on_delete=models.SET_NULL, null=True, blank=True, related_name="fulfilments")
    counted = models.BooleanField(default=False)

    objects = FulfilmentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "commitment"], name="one_fulfilment_row")]

    def __str__(self) -> str:
        return f"{self.commitment_id} meets {self.entry_id}"
