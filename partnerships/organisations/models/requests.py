"""Requests by people who want to act for an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.organisations.models.organisation import Kind, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class RequestAnswer(models.TextChoices):
    """The answers that an administrator can give to a request."""

    INVITED = "invited", "Invited"
    DECLINED = "declined", "Declined"


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    """Filters for requests for access by reader, and by whether they are answered."""

    def visible_to(self, user: User | AnonymousUser) -> AccessRequestQuerySet:
        """Return all requests for an administrator and no requests for other people."""
        return self if user.is_authenticated and user.is_active and user.is_staff else self.none()

    def waiting(self) -> AccessRequestQuerySet:
        """Return requests that nobody has answered."""
        return self.filter(answer="")


@pghistory.track(exclude=["name", "email", "job_title", "message"])
class AccessRequest(models.Model):
    """A person's request to act for an organisation, which may not be in the directory yet.

    States: waiting (no answer) → invited or declined. An address has at most one waiting request for an organisation.
    """

    # Who asks, and for which organisation.
    name = models.CharField(max_length=150)
    email = models.EmailField(max_length=254)
    job_title = models.CharField(max_length=150, blank=True)
    organisation_name = models.CharField(max_length=300)
    kind = models.CharField(max_length=30, choices=Kind)
    number = models.CharField(max_length=80, blank=True)
    message = models.TextField(blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()

    # An administrator's answer, and the organisation for which the person was invited.
    answer = models.CharField(max_length=8, choices=RequestAnswer, blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = AccessRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email", "organisation_name"], condition=Q(answer=""), name="unique_waiting_request_per_email"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="answered_request_has_time",
            ),
        ]
        indexes = [models.Index(fields=["answer", "asked_at", "id"], name="access_request_waiting")]

    def __str__(self) -> str:
        return f"Request {self.pk} for {self.organisation_name}"
