"""Kinds of partnership, as administrators define them."""

from __future__ import annotations

import pghistory
from django.db import models

from partnerships.agreements.terms.declarations import Declarations, declare
from partnerships.kit.vocabularies import Vocabulary


@pghistory.track()
class PartnershipKind(Vocabulary):
    """A kind of arrangement, such as a charter (docs/glossary.md)."""

    purpose = models.CharField(
        "what it is for", max_length=300, blank=True, help_text="One sentence, shown when people choose the kind."
    )
    requires_review_date = models.BooleanField(
        "needs a review date", default=True, help_text="Its terms cannot be signed without a review date."
    )
    needs_data_sharing = models.BooleanField(
        "shares personal data",
        default=False,
        help_text="Personal data opens only while a signed data-sharing agreement is in force.",
    )
    gives_data_sharing = models.BooleanField(
        "is a data-sharing agreement",
        default=False,
        help_text="Partnerships of this kind are the signed agreements that open personal data.",
    )

    class Meta:
        verbose_name = "partnership kind"

    @property
    def declarations(self) -> Declarations:
        """What its terms hold."""
        return declare(self.code, self.label, review_date=self.requires_review_date)
