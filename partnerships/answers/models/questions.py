"""Questions that the owners of a published plan ask its readers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.utils import timezone

from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class PlanQuestionQuerySet(models.QuerySet["PlanQuestion"]):
    """Filters for questions by who may read them, and by whether they are open."""

    def visible_to(self, user: User | AnonymousUser) -> PlanQuestionQuerySet:
        """Return questions about plans that the person may read today."""
        return self.filter(plan__in=Plan.objects.published_today_for(user).values("pk"))

    def with_answers_for(self, user: User | AnonymousUser) -> PlanQuestionQuerySet:
        """Return questions whose shown answers the person may read, because the person reads the plan inside."""
        return self.visible_to(user).filter(plan__in=Plan.objects.fully_readable_by(user).values("pk"))

    def open_at(self, now: dt.datetime) -> PlanQuestionQuerySet:
        """Return questions that can be answered now."""
        return self.filter(closed_at=None, closes_on__gte=timezone.localdate(now))


@pghistory.track()
class PlanQuestion(models.Model):
    """A question about a plan, asked by an owner: open → closed.

    A question closes after its last day, or earlier when a lead of an owner closes it. Its answers remain.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="questions")
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    closes_on = models.DateField(help_text="The last day for answers.")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the question was closed before its last day."
    )

    objects = PlanQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = "question about a plan"
        verbose_name_plural = "questions about plans"
        indexes = [models.Index(fields=["plan", "closes_on"], name="question_plan")]

    def __str__(self) -> str:
        return self.title

    def is_open(self, now: dt.datetime) -> bool:
        """Return whether the question can be answered now."""
        return self.closed_at is None and self.closes_on >= timezone.localdate(now)
