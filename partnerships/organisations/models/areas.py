"""Areas, and which organisations serve them."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import F, Q


class AreaKind(models.TextChoices):
    """The kinds of area that have a GSS code."""

    DISTRICT = "district", "District or unitary"
    COUNTY = "county", "County"
    REGION = "region", "Region"
    COMBINED_AUTHORITY = "combined_authority", "Combined authority area"
    LEP = "lep", "LEP area"
    NATION = "nation", "Nation"


@pghistory.track()
class Area(models.Model):
    """A geographical area with a GSS code, not the body that governs it."""

    code = models.CharField("GSS code", max_length=9, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=AreaKind)
    #: The county of a district.
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    region = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    valid_from = models.DateField(null=True, blank=True)
    #: The first day on which the area no longer existed.
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="area_does_not_end_before_start",
            )
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class AreaServed(models.Model):
    """An area that an organisation serves or governs."""

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="areas_served"
    )
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="served_by")
    starts_on = models.DateField(null=True, blank=True)
    #: The first day on which the organisation no longer serves the area.
    ends_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "areas served"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "area", "starts_on"],
                name="unique_area_served_per_start",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return str(self.area)
