"""Models of developer agreements in published registers, and of the commitments made in them."""

from __future__ import annotations

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.db import models

from partnerships.commitments.models import Commitment
from partnerships.kit.addresses import page_address
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class DeveloperAgreementQuerySet(models.QuerySet["DeveloperAgreement"]):
    """Filters and annotations for developer agreements."""

    def visible_to(self, user: User | AnonymousUser) -> DeveloperAgreementQuerySet:
        """Return the agreements of the authorities that the person can see.

        Agreements are published, so no membership is needed.
        """
        return self.filter(organisation__in=Organisation.objects.visible_to(user))

    def for_listing(self) -> DeveloperAgreementQuerySet:
        """Add `promise_count`, the number of commitments in each agreement."""
        return self.annotate(promise_count=models.Count("promises"))


@pghistory.track()
class DeveloperAgreement(models.Model):
    """An agreement between an authority and a developer, read from a register or entered by the authority's lead.

    The promises in an agreement are commitments, linked by `AgreementPromise`. Agreements are added, but never edited.
    """

    reference = models.CharField(max_length=200)
    kind = models.CharField(max_length=120)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="developer_agreements")
    planning_application = models.CharField(max_length=300, blank=True)
    document_url = models.URLField(max_length=1000, blank=True)
    agreed_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    # The id of a `transfer.ImportRun`. Not a foreign key, because this app must not import `transfer`.
    run_id = models.BigIntegerField(
        "import run",
        null=True,
        help_text="The number of the import that added the agreement. Empty if it was entered on a page.",
    )

    objects = DeveloperAgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "reference"], name="unique_developer_agreement_reference")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    def get_absolute_url(self) -> str:
        """Return the address of the page of the agreement."""
        return page_address("developer_agreements:detail", self.pk)

    @property
    def title(self) -> str:
        """Return the name of the agreement in links, for example `section 106 agreement W/1-da`."""
        return f"{self.kind} agreement {self.reference}"


@pghistory.track()
class AgreementPromise(models.Model):
    """The link between an agreement and a commitment made in it."""

    agreement = models.ForeignKey(DeveloperAgreement, on_delete=models.PROTECT, related_name="promises")
    commitment = models.OneToOneField(Commitment, on_delete=models.CASCADE, related_name="promised_in")

    def __str__(self) -> str:
        return f"{self.commitment_id} in {self.agreement_id}"
