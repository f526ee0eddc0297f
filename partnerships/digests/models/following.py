"""Who follows a plan: by itself, by its partnership or by one of its owners."""

from __future__ import annotations

from django.db import models

from partnerships.digests.models.subscriptions import Subscription
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan


class Following(models.Model):
    """A person who follows a plan by a confirmed subscription: a database view, with a row for each subscription.

    With a `key`, the person follows only one site or milestone of the plan. `rank` is 1 if the subscription is to the
    plan itself, 2 if it is to its partnership, and 3 if it is to an owner. If the person refused the plan, earlier
    subscriptions to its partnership or owners do not cover the plan.
    """

    # `DO_NOTHING`, because Django cannot delete rows of a view: they disappear with the rows of its tables.
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
