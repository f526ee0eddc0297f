"""Reports, their recommendations, and the addressees of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from partnerships.exchange.models import Theme
from partnerships.kit.addresses import page_address
from partnerships.kit.text import shorten
from partnerships.organisations.audience import Network, Route, visible_to
from partnerships.organisations.models import Kind, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Anyone signed in may read recommendations (docs/rights.md).
EVERYBODY: tuple[Route, ...] = (Network(),)
#: The order of recommendations in lists. The newest report is first, and its recommendations are in the report's order.
LIST_ORDER = ("-source__year", "source__title", "source_id", "position", "pk")
#: The title of a recommendation is the beginning of its text, with at most this many characters.
_MAX_TITLE = 110


class Confidence(models.TextChoices):
    """How certain we are that the report contains the recommendation."""

    SEEN = "seen", "Passage read"
    PART = "part", "Passage read in part"
    MEMORY = "memory", "Written from memory"


class SourceQuerySet(models.QuerySet["Source"]):
    """Filters for reports by reader."""

    def visible_to(self, user: User | AnonymousUser) -> SourceQuerySet:
        """Return all reports for anyone signed in, and none for others."""
        return self.filter(visible_to(Source, EVERYBODY, user))

    def with_recommendation_counts(self) -> SourceQuerySet:
        """Annotate each report with `recorded`, the number of its recommendations that are recorded here."""
        return self.annotate(recorded=models.Count("recommendations"))


@pghistory.track()
class Source(models.Model):
    """A report that makes recommendations. No two reports have the same title and year.

    Only the organisation that recorded a report can change it. Administrators can correct any report, including those
    that came with Common Ground.
    """

    title = models.CharField(max_length=200)
    publisher = models.CharField(max_length=200, blank=True)
    year = models.PositiveSmallIntegerField()
    total = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How many recommendations the report makes. Leave empty if you do not know."
    )
    note = models.CharField(max_length=500, blank=True)

    recorded_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    objects = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("title"), "year", name="unique_source_title_and_year"),
            models.CheckConstraint(condition=Q(year__range=(1900, 2200)), name="source_year_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})"

    def get_absolute_url(self) -> str:
        """Return the URL of the report's page."""
        return page_address("recommendations:source", self.pk)


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    """Filters for recommendations by reader, and the order of lists."""

    def visible_to(self, user: User | AnonymousUser) -> RecommendationQuerySet:
        """Return all recommendations for anyone signed in, and none for others."""
        return self.filter(visible_to(Recommendation, EVERYBODY, user))

    def for_listing(self) -> RecommendationQuerySet:
        """Fetch the related rows that lists show. Lists sort the recommendations themselves."""
        addressees = Addressee.objects.select_related("organisation").order_by("pk")
        return self.select_related("source").prefetch_related(models.Prefetch("addressees", queryset=addressees))

    def in_order(self) -> RecommendationQuerySet:
        """Sort these recommendations as lists show them."""
        return self.order_by(*LIST_ORDER)


@pghistory.track()
class Recommendation(models.Model):
    """A recommendation of a report, paraphrased in our own words."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="recommendations")
    position = models.PositiveSmallIntegerField(help_text="The recommendation’s position among those recorded here.")
    #: The number in the report itself, such as "R3", or "" if we have not seen it.
    reference = models.CharField(max_length=20, blank=True)
    text = models.CharField(max_length=500)
    confidence = models.CharField(max_length=6, choices=Confidence)
    #: Codes of `exchange.Theme`.
    themes = ArrayField(models.CharField(max_length=20), default=list, blank=True)

    objects = RecommendationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "position"], name="unique_recommendation_position"),
            models.UniqueConstraint(
                fields=["source", "reference"], condition=~Q(reference=""), name="unique_recommendation_reference"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="recommendation_has_text"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the URL of the recommendation's page."""
        return page_address("recommendations:detail", self.pk)

    @property
    def title(self) -> str:
        """Return the beginning of the text, which lists and emails show as a title."""
        return shorten(self.text, _MAX_TITLE)

    @property
    def number(self) -> str:
        """Return the report's own reference, for example "R3", or "Not numbered here" if we have not seen it."""
        return self.reference or "Not numbered here"

    @property
    def theme_words(self) -> str:
        """Return the labels of the recommendation's themes, separated by commas."""
        return ", ".join(Theme.label_of(code) for code in self.themes)

    @property
    def addressee_words(self) -> str:
        """Return the addressees, for example "Councils; LEPs". `addressees` should be fetched."""
        return "; ".join(str(addressee) for addressee in self.addressees.all())


#: The plural of each kind of body.
KINDS_OF_BODY = {
    Kind.REGISTERED_PROVIDER.value: "Registered providers",
    Kind.COUNCIL.value: "Councils",
    Kind.STRATEGIC_AUTHORITY.value: "Combined and strategic authorities",
    Kind.NATIONAL_PARK.value: "National park authorities",
    Kind.DEVELOPMENT_CORPORATION.value: "Development corporations",
    Kind.LEP.value: "Local Enterprise Partnerships and their successors",
    Kind.BUSINESS_BOARD.value: "Business boards",
    Kind.HOMES_ENGLAND.value: "Homes England",
    Kind.GOVERNMENT_DEPARTMENT.value: "Government and its departments",
    Kind.REGULATOR.value: "Regulators",
    Kind.TRADE_BODY.value: "Trade bodies",
    Kind.DEVELOPER.value: "Developers",
    Kind.NHS.value: "NHS bodies",
    Kind.CHARITY.value: "Charities",
    Kind.PUBLIC_BODY.value: "Other public bodies",
}


@pghistory.track()
class Addressee(models.Model):
    """An addressee of a recommendation, which is every organisation of a kind, or one organisation."""

    recommendation = models.ForeignKey(Recommendation, on_delete=models.CASCADE, related_name="addressees")
    kind = models.CharField(max_length=30, choices=Kind, blank=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="recommendations_addressed"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="") & Q(organisation__isnull=False)) | (~Q(kind="") & Q(organisation=None)),
                name="addressee_has_kind_or_organisation",
            ),
            models.UniqueConstraint(
                fields=["recommendation", "kind"], condition=~Q(kind=""), name="unique_addressee_per_kind"
            ),
            models.UniqueConstraint(
                fields=["recommendation", "organisation"], name="unique_addressee_per_organisation"
            ),
        ]

    def __str__(self) -> str:
        return self.organisation.name if self.organisation else KINDS_OF_BODY[self.kind]
