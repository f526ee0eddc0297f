"""A database view of the people who follow each plan."""

from __future__ import annotations

from django.db import models

from partnerships.digests.models.subscriptions import Subscription
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan


class Following(models.Model):
    """A person who follows a plan by a confirmed subscription.

    This is a database view. It has a row for each subscription by which a person follows a plan: to the plan itself
    (`rank` 1), to its partnership (2) or to an owner (3). For example, Amina has two rows for a plan if she follows
    the plan and its partnership.

    With a `key`, the person follows only one site or milestone of the plan. If the person refused the plan, earlier
    subscriptions to its partnership or owners do not include it.
    """

    # `DO_NOTHING`, because rows of a view disappear with the rows of its tables, and Django cannot delete them.
    subscription = models.OneToOneField(Subscription, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    person = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    plan = models.ForeignKey(Plan, on_delete=models.DO_NOTHING, related_name="+")
    how = models.CharField(max_length=4)
    added_for = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, null=True, related_name="+")
    frequency = models.CharField(max_length=8)
    confirmed_at = models.DateTimeField()
    rank = models.SmallIntegerField()
    key = models.CharField(max_length=80)

    class Meta:
        managed = False
        db_table = "digests_following"

    def __str__(self) -> str:
        return f"{self.person_id} follows {self.plan_id}"
