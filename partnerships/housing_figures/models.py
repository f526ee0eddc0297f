"""Models of published housing figures and the datasets that contain them."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Max, Q

from partnerships.housing_figures.measures import (
    MEASURES,
    SERIES_LABELS,
    STATUS_LABELS,
    Series,
    Status,
    period_words,
)
from partnerships.organisations.models import Area


class DatasetQuerySet(models.QuerySet["Dataset"]):
    """Filters for datasets by release."""

    def newest(self) -> DatasetQuerySet:
        """Return the newest release of each series. If a release has several files, use the one imported last."""
        return self.order_by("series", "-released_on", "-pk").distinct("series")


class Dataset(models.Model):
    """A release of a series, from one file.

    A dataset never changes, so that a report of an earlier day can be made again. A later release is a dataset of its
    own, and so is another file of the same release. Only a file of corrected rows adds figures to a dataset.
    """

    series = models.CharField(max_length=24, choices=[(series.value, SERIES_LABELS[series]) for series in Series])
    released_on = models.DateField(help_text="The day on which the figures were published, or for which they are true.")
    publisher = models.CharField(max_length=120)
    licence = models.CharField(max_length=60)
    file_name = models.CharField(max_length=300)
    sha256 = models.CharField("SHA-256", max_length=64)
    imported_at = models.DateTimeField()

    objects = DatasetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "released_on", "sha256"], name="unique_dataset_per_file"),
        ]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_series_display()}, {self.released_on}"

    def newest_year(self) -> int | None:
        """Return the year in which the newest figures end, or None if the dataset has no figures. One query."""
        newest: int | None = self.figures.aggregate(newest=Max("last_year"))["newest"]
        return newest


class Figure(models.Model):
    """A figure of one area in a dataset. Figures never change.

    If a file has several rows for one code and year, each is a part of the figure, and their values are added up.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="figures")
    row = models.PositiveIntegerField(help_text="The number of the row in the file.")

    # The code and name in the file, and the area of the directory to which they belong.
    code = models.CharField("GSS code", max_length=9)
    name = models.CharField(max_length=200)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")

    measure = models.CharField(max_length=40, choices=list(MEASURES.items()))
    #: 2024 and 2025 for the year 2024-25. Both are 2025 for 31 March 2025.
    first_year = models.PositiveSmallIntegerField()
    last_year = models.PositiveSmallIntegerField()

    #: None if nothing is published, or if the figure is a text in `words`, such as “Presumption”.
    value = models.DecimalField(max_digits=16, decimal_places=6, null=True, blank=True)
    words = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=16, choices=[(status.value, STATUS_LABELS[status]) for status in Status])
    #: Whether the value is for the whole area of a joint plan. Such a value is never added to others.
    is_joint = models.BooleanField(default=False)

    #: The title of the plan that sets a requirement.
    plan = models.CharField(max_length=300, blank=True)
    plan_key = models.CharField(max_length=80, blank=True)
    adopted_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "row", "measure", "first_year", "last_year"], name="unique_figure_per_cell"
            ),
            models.CheckConstraint(condition=Q(first_year__lte=F("last_year")), name="figure_years_in_order"),
            models.CheckConstraint(
                condition=Q(value=None) | Q(status__in=["published", "provisional", "revised"]),
                name="figure_with_value_is_published",
            ),
        ]
        indexes = [models.Index(fields=["dataset", "area", "measure", "last_year"], name="figure_of_area")]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_measure_display()}"

    def period(self, series: str) -> str:
        """Return the years of the figure as the series writes them."""
        return period_words(series, self.first_year, self.last_year)
