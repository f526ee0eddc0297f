"""Sites, homes and milestones of the newest versions as rows, so that lists can query them.

`services.projecting` writes the rows when a version is published.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone

from partnerships.kit.dates import PartialDate
from partnerships.organisations.holdings import for_a_few_records
from partnerships.organisations.models import Area
from partnerships.people.models import User
from partnerships.plans.content import SETTLED, Content, Item, milestone_status
from partnerships.plans.models.plan import Plan
from partnerships.plans.models.states import FINAL_STATUSES

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: A milestone due within this time is "due soon".
DUE_SOON = dt.timedelta(days=30)


def of_newest_version(user: User | AnonymousUser, hidden: str) -> Q:
    """Return the condition that the person may read a row of a newest version.

    `hidden` is the field that marks rows for readers inside, for example "confidential". Under embargo, only owners
    read the rows. People of an organisation that left a plan read no rows of that plan, because the newest version may
    be from a later day.
    """
    has_no_embargo = Q(plan__embargoed_until=None) | Q(plan__embargoed_until__lte=timezone.now())
    with for_a_few_records():
        inside = Plan.objects.fully_readable_by(user).contains_outer_plan(one_by_one=True)
        owned = Plan.objects.owned_by_organisations_of(user).contains_outer_plan(one_by_one=True)
        published = Plan.objects.published_today_for(user) if user.is_authenticated else Plan.objects.public()
    # PostgreSQL checks conditions in this order, so the condition that most rows meet comes first.
    is_shown_outside = Q(**{hidden: False}) & Q(published.contains_outer_plan(one_by_one=True))
    return (has_no_embargo & (is_shown_outside | Q(inside))) | Q(owned)


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    """Filters for milestones by reader and due date."""

    def visible_to(self, user: User | AnonymousUser) -> MilestoneQuerySet:
        """Return milestones of plans that the person may read, in their reading class."""
        return self.filter(of_newest_version(user, "restricted"))

    def outstanding(self) -> MilestoneQuerySet:
        """Return milestones that are neither achieved nor cancelled, of plans that are not over."""
        return self.exclude(status__in=SETTLED).exclude(plan__status__in=FINAL_STATUSES)

    def overdue(self, today: dt.date) -> MilestoneQuerySet:
        """Return outstanding milestones that are certainly late. "2028" is late from 1 January 2029."""
        return self.outstanding().filter(due_by__lt=today)


class Milestone(models.Model):
    """A milestone of a plan's newest version."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="milestones")
    key = models.CharField(max_length=100)
    name = models.CharField(max_length=500)
    site_key = models.CharField(max_length=100, blank=True)
    owner = models.CharField(max_length=500, blank=True)

    status = models.CharField(max_length=20)

    # Dates.
    baseline = models.CharField(
        max_length=10, blank=True, help_text="As exact as in the plan: 2017, 2017-04 or 2017-04-11."
    )
    forecast = models.CharField(max_length=10, blank=True)
    actual = models.CharField(max_length=10, blank=True)
    #: Both days are those of the forecast or, if there is none, of the baseline.
    due_from = models.DateField(null=True, blank=True, help_text="The first day that the forecast can mean.")
    due_by = models.DateField(null=True, blank=True, help_text="The last day that the forecast can mean.")

    #: Also true for milestones of confidential sites.
    restricted = models.BooleanField(default=False)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="unique_milestone_key_per_plan")]
        indexes = [
            models.Index(fields=["due_by", "plan"], name="milestone_due"),
            models.Index(fields=["due_by", "id"], name="milestone_in_order"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of the milestone's plan. Select `plan` with the milestone."""
        return self.plan.get_absolute_url()

    def is_overdue(self, today: dt.date) -> bool:
        """Return whether the milestone is neither achieved nor cancelled, and certainly late.

        This does not check whether the plan is over.
        """
        return self.status not in SETTLED and self.due_by is not None and self.due_by < today


def milestones_in(plan: Plan, content: Content) -> dict[str, Milestone]:
    """Return the milestones in a content of the plan as unsaved rows, by key."""
    public_site_keys = {site["key"] for site in content["sites"] if not site["confidential"]}
    return {item["key"]: _milestone(plan, item, public_site_keys) for item in content["milestones"]}


def _milestone(plan: Plan, item: Item, public_site_keys: set[str]) -> Milestone:
    """Return a milestone of the content as an unsaved row."""
    due_text = item["forecast"] or item["baseline"]
    due = PartialDate.parse(due_text) if due_text else None
    is_of_hidden_site = bool(item["site"]) and item["site"] not in public_site_keys
    return Milestone(
        plan=plan,
        key=item["key"],
        name=item["name"],
        site_key=item["site"],
        owner=item["owner"],
        status=milestone_status(item),
        baseline=item["baseline"],
        forecast=item["forecast"],
        actual=item["actual"],
        due_from=due.earliest if due else None,
        due_by=due.latest if due else None,
        restricted=item["restricted"] or is_of_hidden_site,
    )


class SiteQuerySet(models.QuerySet["Site"]):
    """Filters for sites by who may read them."""

    def visible_to(self, user: User | AnonymousUser) -> SiteQuerySet:
        """Return sites of plans that the person may read. Confidential sites are included only for readers inside."""
        return self.filter(of_newest_version(user, "confidential"))


class Site(models.Model):
    """A site of a plan's newest version."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="sites")
    key = models.CharField(max_length=100)
    reference = models.CharField(max_length=500, blank=True)
    name = models.CharField(max_length=500)

    # Its place.
    area = models.ForeignKey(Area, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    planning_authority = models.CharField(max_length=500, blank=True)
    # The database has the defaults too, because a server that still runs the previous release writes rows without
    # these two columns.
    address = models.CharField(max_length=500, blank=True, default="", db_default="")
    postcode = models.CharField(
        max_length=10, blank=True, default="", db_default="", help_text="The full postcode, or only its district."
    )

    confidential = models.BooleanField(default=False)

    homes = models.PositiveIntegerField(default=0)
    planning_status = models.CharField(max_length=40, blank=True)
    confidence = models.CharField(max_length=20, blank=True)
    forecast_completion = models.CharField(max_length=10, blank=True)
    actual_completion = models.CharField(max_length=10, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="unique_site_key_per_plan")]
        indexes = [
            models.Index(fields=["name", "id"], name="site_in_order"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="site_name_words"),
            GinIndex(OpClass(Upper("reference"), name="gin_trgm_ops"), name="site_reference_words"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of the site's plan. Select `plan` with the site."""
        return self.plan.get_absolute_url()


class Homes(models.Model):
    """A number of homes of one tenure, size and year at a site of a plan's newest version.

    `year` is a calendar year ("2027") or a financial year ("2027-28").
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="homes_lines")
    tenure = models.CharField(max_length=40)
    bedrooms = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 for a studio. Empty if not known.")
    needs = models.CharField(max_length=20)
    year = models.CharField(max_length=7, blank=True)
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "homes"
        indexes = [models.Index(fields=["tenure", "year"], name="homes_tenure_year")]

    def __str__(self) -> str:
        return f"{self.count} {self.tenure}"
