"""Stored PDFs of published versions, so that each PDF is rendered only once."""

from __future__ import annotations

from django.db import models

from partnerships.plans.models.states import ReadingClass
from partnerships.plans.models.version import Version


class _StoredPdf(models.Model):
    """The last PDF that was rendered for a page and one class of readers.

    When a signature is added or a template changes, the digest differs, and the PDF is rendered again.
    """

    reader = models.CharField(max_length=10, choices=ReadingClass.choices)
    #: The hash of the page's HTML and styles.
    digest = models.CharField(max_length=64)
    pdf = models.BinaryField()
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True


class Paper(_StoredPdf):
    """The last PDF of a version for one class of readers."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="papers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "reader"], name="unique_paper_per_version_and_reader")
        ]

    def __str__(self) -> str:
        return f"PDF of version {self.version_id} for readers {self.reader}"


class ComparedPaper(_StoredPdf):
    """The last PDF that compares a version with an earlier or later one, for one class of readers."""

    # `db_index` is off because the index of the unique constraint begins with the version.
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="compared_papers", db_index=False)
    against = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "against", "reader"], name="unique_compared_paper_per_reader")
        ]

    def __str__(self) -> str:
        return f"PDF of version {self.version_id} against {self.against_id} for readers {self.reader}"
