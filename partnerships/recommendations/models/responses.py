"""Responses of organisations to recommendations, and the evidence for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Document, Partnership
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Meeting
from partnerships.kit.addresses import page_address
from partnerships.kit.constraints import exactly_one_is_set
from partnerships.organisations.audience import visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Version
from partnerships.recommendations.models.sources import EVERYBODY, Recommendation
from partnerships.surveys.models import Figure

if TYPE_CHECKING:
    import datetime as dt

    from django.contrib.auth.models import AnonymousUser


class ResponseStatus(models.TextChoices):
    """The status of a response. Any status may follow any other."""

    NOT_STARTED = "not_started", "Not started"
    UNDER_WAY = "under_way", "Under way"
    DONE = "done", "Done"
    DECLINED = "declined", "Declined"
    SUPERSEDED = "superseded", "Superseded"


#: Statuses of organisations that work on a recommendation, or have completed the work.
WORKING_STATUSES = (ResponseStatus.UNDER_WAY, ResponseStatus.DONE)
#: Statuses that need a reason.
STATUSES_WITH_REASON = (ResponseStatus.DECLINED, ResponseStatus.SUPERSEDED)
#: Statuses in which the organisation has nothing left to do.
_FINISHED_STATUSES = (ResponseStatus.DONE, ResponseStatus.DECLINED, ResponseStatus.SUPERSEDED)


class RecommendationResponseQuerySet(models.QuerySet["Response"]):
    """Filters for responses to recommendations by reader and by status."""

    def visible_to(self, user: User | AnonymousUser) -> RecommendationResponseQuerySet:
        """Return all responses for anyone signed in, and none for others.

        Only the organisation's own people see the owner, review date and note.
        """
        return self.filter(visible_to(Response, EVERYBODY, user))

    def of_person(self, user: User | AnonymousUser) -> RecommendationResponseQuerySet:
        """Return responses of the organisations that the person acts for."""
        return self.filter(organisation__in=Organisation.objects.of_person(user).values("pk"))

    def working(self) -> RecommendationResponseQuerySet:
        """Return responses of organisations that work on the recommendation, or have completed the work."""
        return self.filter(status__in=WORKING_STATUSES)

    def unfinished(self) -> RecommendationResponseQuerySet:
        """Return responses that are not started or under way."""
        return self.exclude(status__in=_FINISHED_STATUSES)


@pghistory.track()
class Response(models.Model):
    """An organisation's response to a recommendation.

    A response that is declined or superseded has a reason. Everybody signed in may read the status and the reason. Only
    the organisation's own people see `owner`, `review_on` and `note`.
    """

    recommendation = models.ForeignKey(Recommendation, on_delete=models.PROTECT, related_name="responses")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="responses_to_recommendations"
    )
    status = models.CharField(max_length=12, choices=ResponseStatus, default=ResponseStatus.NOT_STARTED)
    status_since = models.DateTimeField()
    reason = models.TextField(blank=True)

    # What only the organisation's own people see.
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    review_on = models.DateField(null=True, blank=True)
    note = models.TextField(blank=True, help_text="A note that only people of the organisation can read.")

    #: Rises with each change, so that nobody overwrites a change that they have not seen.
    revision = models.PositiveIntegerField(default=1)

    objects = RecommendationResponseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recommendation", "organisation"], name="unique_recommendation_response"),
            models.CheckConstraint(
                condition=~Q(status__in=STATUSES_WITH_REASON) | ~Q(reason=""), name="response_has_reason_if_needed"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "review_on"], name="response_of_organisation"),
            models.Index(fields=["owner", "review_on"], name="response_of_owner", condition=Q(owner__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Response {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the response's page."""
        return page_address("recommendations:response", self.pk)

    @property
    def is_open(self) -> bool:
        """Return whether the response is not started or under way."""
        return self.status not in _FINISHED_STATUSES

    def is_due(self, today: dt.date) -> bool:
        """Return whether the review date has been reached."""
        return self.review_on is not None and self.review_on <= today


#: The names of the kinds of record that can be evidence, by their fields in `Evidence`.
KINDS_OF_EVIDENCE = {
    "commitment": "Commitment",
    "version": "Version of a plan",
    "partnership": "Partnership",
    "meeting": "Meeting",
    "document": "Document",
    "expectation": "Expectation from a survey",
}


class RecommendationEvidenceQuerySet(models.QuerySet["Evidence"]):
    """Filters for evidence by reader."""

    def visible_to(self, user: User | AnonymousUser) -> RecommendationEvidenceQuerySet:
        """Return evidence whose record the person may read."""
        has_readable_record = (
            Q(commitment__in=Commitment.objects.visible_to(user).values("pk"))
            | Q(version__in=Version.objects.visible_to(user).values("pk"))
            | Q(partnership__in=Partnership.objects.visible_to(user).values("pk"))
            | Q(meeting__in=Meeting.objects.visible_to(user).values("pk"))
            | Q(document__in=Document.objects.visible_to(user).values("pk"))
            | Q(expectation__in=Figure.objects.visible_to(user).values("pk"))
        )
        return self.filter(has_readable_record, response__in=Response.objects.visible_to(user).values("pk"))

    def removable_by(self, user: User | AnonymousUser) -> RecommendationEvidenceQuerySet:
        """Return evidence that the person may read, and all evidence of their own organisations' responses."""
        own_responses = Response.objects.of_person(user).values("pk")
        return self.filter(Q(pk__in=Evidence.objects.visible_to(user).values("pk")) | Q(response__in=own_responses))


@pghistory.track()
class Evidence(models.Model):
    """A record that proves a response. Exactly one of the fields in `KINDS_OF_EVIDENCE` is set.

    Only people who may read the record see the evidence.
    """

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="evidence")

    # The record.
    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    #: The version of a plan represents the changes in that version.
    version = models.ForeignKey(Version, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    #: A published figure of a closed survey round. Hidden figures have no row.
    expectation = models.ForeignKey(Figure, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    #: What the record proves.
    words = models.CharField(max_length=300, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField()

    objects = RecommendationEvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [
            models.CheckConstraint(condition=exactly_one_is_set(*KINDS_OF_EVIDENCE), name="evidence_has_one_record"),
            *(
                models.UniqueConstraint(fields=["response", kind], name=f"unique_evidence_per_{kind}")
                for kind in KINDS_OF_EVIDENCE
            ),
        ]

    def __str__(self) -> str:
        return f"Evidence {self.pk}"

    @property
    def kind(self) -> str:
        """Return the field that refers to the record, for example `commitment`."""
        return next(name for name in KINDS_OF_EVIDENCE if getattr(self, f"{name}_id") is not None)
