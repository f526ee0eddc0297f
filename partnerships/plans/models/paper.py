"""Stored PDFs of published versions, so that each PDF is rendered only once."""

from __future__ import annotations

from django.db import models

from partnerships.plans.models.states import ReadingClass
from partnerships.plans.models.version import Version


class _StoredPdf(models.Model):
    """The last PDF of a page for one class of readers (see `ReadingClass`).

    `digest` is the hash of the page's HTML and styles. When a signature is added or a template changes, the hash
    differs and the PDF is rendered again.
    """

    reader = models.CharField(max_length=10, choices=ReadingClass.choices)
    digest = models.CharField(max_length=64)
    pdf = models.BinaryField()
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True


class Paper(_StoredPdf):
    """The last PDF of a version for one reading class."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="papers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "reader"], name="unique_paper_per_version_and_reader")
        ]

    def __str__(self) -> str:
        return f"PDF of version {self.version_id} for readers {self.reader}"


class ComparedPaper(_StoredPdf):
    """The last PDF of a version compared with an earlier or later one, for one reading class."""

    # No index of its own: the index of the unique constraint begins with the version.
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="compared_papers", db_index=False)
    against = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "against", "reader"], name="unique_compared_paper_per_reader")
        ]

    def __str__(self) -> str:
        return f"PDF of version {self.version_id} against {self.against_id} for readers {self.reader}"
