"""Merges of duplicate organisations, and pairs of similar organisations that are not duplicates."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import F, Q

from partnerships.people.models import User


class MergeQuerySet(models.QuerySet["Merge"]):
    """Filters for merges by whether they are in force."""

    def in_force(self) -> MergeQuerySet:
        """Return merges that have not been undone."""
        return self.filter(undone_at=None)


@pghistory.track()
class Merge(models.Model):
    """A merge of two records of the same organisation. It can be undone, with a reason.

    Everything that belonged to `merged` passed to `kept` (see `MovedRow`). The URL of `merged` redirects to `kept`. A
    record can be merged into only one other record at a time.
    """

    kept = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="merges_kept")
    merged = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="merges_away")
    reason = models.TextField()
    merged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    merged_at = models.DateTimeField()

    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_because = models.TextField(blank=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at=None), name="unique_merge_per_merged_record"
            ),
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="record_is_not_merged_into_itself"),
            models.CheckConstraint(condition=Q(undone_at=None) | ~Q(undone_because=""), name="undone_merge_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.kept_id}"


class MovedRow(models.Model):
    """A row that a merge or a succession changed, with its values before and after, to undo the change."""

    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, null=True, related_name="rows")
    succession = models.ForeignKey(
        "organisations.Succession", on_delete=models.CASCADE, null=True, related_name="moved_rows"
    )
    table = models.CharField(max_length=80, help_text="The model, as “app.Model”.")
    row = models.BigIntegerField()
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(merge=None, succession__isnull=False) | Q(merge__isnull=False, succession=None),
                name="moved_row_has_merge_or_succession",
            )
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row}"


@pghistory.track()
class NotSame(models.Model):
    """Two organisations with similar names that are not duplicates."""

    #: The organisation with the lower id, so that a pair has only one row.
    one = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    said_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "not the same"
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="unique_not_same_pair"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="not_same_pair_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.one_id} is not {self.other_id}"
