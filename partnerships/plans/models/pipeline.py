"""Homes of all published versions, for reports that compare the homes of two days."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from partnerships.plans.models.plan import Plan


class PlannedHomes(models.Model):
    """Homes of one combination at a site, and the versions of a plan that contained them.

    For example, versions 2 and 3 contain 20 homes for social rent at North Quay, so one row has `from_number` 2 and
    `until_number` 4. If version 4 has 25 such homes, another row begins. The times find the homes that a reader could
    see on a day.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="planned_homes")

    # The site.
    site_key = models.CharField(max_length=100)
    site_name = models.CharField(max_length=500)
    #: The GSS code of the area.
    area_code = models.CharField(max_length=20, blank=True)
    authority = models.CharField("planning authority", max_length=500, blank=True)
    confidential = models.BooleanField()
    provider = models.CharField(max_length=500, blank=True, help_text="Who leads the site, as the plan names them.")
    planning_reference = models.CharField(max_length=500, blank=True)
    has_grant = models.BooleanField(help_text="Whether the plan names a grant programme.")
    confidence = models.CharField(max_length=20, blank=True)
    forecast = models.CharField("forecast completion", max_length=10, blank=True)

    # The homes.
    tenure = models.CharField(max_length=40)
    bedrooms = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 for a studio. Empty if not known.")
    needs = models.CharField(max_length=20)
    #: The year in which the homes are to be completed, and the year in which they were: "2027" or "2027-28".
    year = models.CharField(max_length=7, blank=True)
    done_year = models.CharField(max_length=7, blank=True)
    count = models.PositiveIntegerField()

    # The versions that contain the homes, and when people can read them. An end is None for the newest version.
    #: The first version with the homes, and the first version without them.
    from_number = models.PositiveIntegerField()
    until_number = models.PositiveIntegerField(null=True, blank=True)
    #: When owners can read the row.
    published_from = models.DateTimeField()
    published_until = models.DateTimeField(null=True, blank=True)
    #: When everybody else can read the row, which is between the ends of the embargoes of the two versions.
    open_from = models.DateTimeField()
    open_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "planned homes"
        constraints = [
            models.CheckConstraint(
                condition=Q(until_number=None) | Q(until_number__gt=F("from_number")),
                name="planned_homes_numbers_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["plan", "site_key"], name="planned_homes_site"),
            models.Index(fields=["area_code", "plan"], name="planned_homes_area"),
            models.Index(
                fields=["planning_reference"], condition=~Q(planning_reference=""), name="planned_homes_reference"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.tenure} at {self.site_name}"


class HomesCombination(models.Model):
    """A combination of year, tenure, area and so on, to which packed lines of homes refer by its id.

    The database function `plans_pack_homes` adds the rows, which are never changed or removed.
    """

    id = models.AutoField(primary_key=True)
    year = models.CharField(max_length=7, blank=True)
    tenure = models.CharField(max_length=40)
    area_code = models.CharField(max_length=20, blank=True)
    authority = models.CharField("planning authority", max_length=500, blank=True)
    bedrooms = models.IntegerField(help_text="-1 if not known.")
    needs = models.CharField(max_length=20)
    confidence = models.CharField(max_length=20, blank=True)
    has_grant = models.BooleanField()
    confidential = models.BooleanField()
    is_done = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "year",
                    "tenure",
                    "area_code",
                    "authority",
                    "bedrooms",
                    "needs",
                    "confidence",
                    "has_grant",
                    "confidential",
                    "is_done",
                ],
                name="unique_homes_combination",
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenure} in {self.area_code}, {self.year}"


class HomesProvider(models.Model):
    """The lead of a site, as plans name it, to which packed lines of homes refer by its id.

    The database function `plans_pack_homes` adds the rows, which are never changed or removed.
    """

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name"], name="unique_homes_provider_name")]

    def __str__(self) -> str:
        return self.name


class PackedHomes(models.Model):
    """All `PlannedHomes` of a plan packed into bytes, for reports that add up the homes of 100,000 plans.

    The database function `plans_pack_homes` writes the bytes, in the transaction that changes the homes.
    `queries.packed` describes the layout.
    """

    plan = models.OneToOneField(Plan, on_delete=models.CASCADE, primary_key=True, related_name="packed_homes")
    versions = models.BinaryField(help_text="Versions that changed homes: number, publication, end of the embargo.")
    lines = models.BinaryField()

    class Meta:
        verbose_name_plural = "packed homes"

    def __str__(self) -> str:
        return f"Homes of plan {self.plan_id}"
