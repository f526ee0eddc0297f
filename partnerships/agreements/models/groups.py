"""Working groups, which are partnerships within a partnership."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models.partnership import Partnership


@pghistory.track()
class WorkingGroup(models.Model):
    """A partnership that works on one task for another partnership, its parent.

    People of the parent's present parties see the group's outline. The group ends when its parent ends, unless
    `outlives_parent` is set.
    """

    partnership = models.OneToOneField(Partnership, on_delete=models.CASCADE, related_name="as_group")
    parent = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="groups")
    outlives_parent = models.BooleanField(
        "continues after its partnership",
        default=False,
        help_text="Otherwise the working group ends when its partnership ends.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(partnership=F("parent")), name="working_group_is_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.partnership_id} within {self.parent_id}"
