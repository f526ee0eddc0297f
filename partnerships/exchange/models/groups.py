"""Working groups that were started from an accepted answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models

from partnerships.agreements.models import Partnership
from partnerships.exchange.models.answers import Response

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from partnerships.people.models import User


class AnswerGroupQuerySet(models.QuerySet["AnswerGroup"]):
    """Filters for links by reader, who must be able to read the answer and see the working group."""

    def visible_to(self, user: User | AnonymousUser) -> AnswerGroupQuerySet:
        """Return links whose answer the person may read, and whose working group the person may see."""
        return self.filter(
            response__in=Response.objects.visible_to(user), partnership__in=Partnership.objects.visible_today_to(user)
        )


@pghistory.track()
class AnswerGroup(models.Model):
    """A link from an accepted answer to the working group that was started from the answer."""

    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="group")
    partnership = models.OneToOneField(Partnership, on_delete=models.CASCADE, related_name="from_answer")

    objects = AnswerGroupQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.partnership_id} from answer {self.response_id}"
