"""Matches of an ask and an offer, and the dismissals and introductions that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from partnerships.exchange.matching import MIN_POINTS
from partnerships.exchange.models.entries import Entry
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class MatchQuerySet(models.QuerySet["Match"]):
    """Filters for matches by reader, by dismissal and by score."""

    def visible_to(self, user: User | AnonymousUser) -> MatchQuerySet:
        """Return matches whose ask and offer the person may both read."""
        readable_entries = Entry.objects.visible_to(user)
        return self.filter(ask__in=readable_entries, offer__in=readable_entries)

    def of_person(self, user: User | AnonymousUser) -> MatchQuerySet:
        """Return matches with an entry of the person's organisations."""
        own_organisations = Organisation.objects.of_person(user)
        return self.filter(Q(ask__organisation__in=own_organisations) | Q(offer__organisation__in=own_organisations))

    def not_dismissed_by(self, user: User | AnonymousUser) -> MatchQuerySet:
        """Return matches that no organisation of the person dismissed."""
        own_dismissals = Dismissal.objects.filter(organisation__in=Organisation.objects.of_person(user))
        return self.exclude(pk__in=own_dismissals.values("match"))

    def live(self) -> MatchQuerySet:
        """Return matches with a sufficient score whose ask and offer are both open."""
        return self.filter(ask__is_open=True, offer__is_open=True, score__gte=MIN_POINTS)


class Match(models.Model):
    """An ask and an offer that match, with a score and its reasons.

    Matching updates the row when the ask or the offer changes, and deletes it when the two no longer match. A dismissed
    match is not deleted but gets a score of 0, so that it is still dismissed if the two match again.
    """

    ask = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="matches_as_ask")
    offer = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="matches_as_offer")
    score = models.PositiveSmallIntegerField(help_text="A score from 0 to 100.")
    reasons = ArrayField(models.CharField(max_length=200), default=list)
    found_at = models.DateTimeField()

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "matches"
        constraints = [models.UniqueConstraint(fields=["ask", "offer"], name="unique_match_per_ask_and_offer")]
        indexes = [
            models.Index(fields=["ask", "-score"], name="match_ask"),
            models.Index(fields=["offer", "-score"], name="match_offer"),
            models.Index(fields=["found_at"], name="match_found"),
        ]

    def __str__(self) -> str:
        return f"{self.ask_id} and {self.offer_id}"


@pghistory.track()
class Dismissal(models.Model):
    """An organisation's reason why an ask and an offer do not match. Only that organisation can read the reason."""

    match = models.ForeignKey(Match, on_delete=models.CASCADE, related_name="dismissals")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["match", "organisation"], name="unique_dismissal_per_organisation")
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} on {self.match_id}"


class IntroductionQuerySet(models.QuerySet["Introduction"]):
    """Filters for introductions by reader."""

    def visible_to(self, user: User | AnonymousUser) -> IntroductionQuerySet:
        """Return the introductions that the person's organisations suggested, or in which they are introduced.

        The person must be able to read both entries.
        """
        own_organisations = Organisation.objects.of_person(user)
        involves_own_organisation = (
            Q(ask__organisation__in=own_organisations)
            | Q(offer__organisation__in=own_organisations)
            | Q(organisation__in=own_organisations)
        )
        readable_entries = Entry.objects.visible_to(user)
        return self.filter(involves_own_organisation, ask__in=readable_entries, offer__in=readable_entries)


@pghistory.track()
class Introduction(models.Model):
    """A suggestion that the organisations of an ask and an offer talk.

    One of the two organisations suggests it, or a third organisation with people who may read both entries.
    """

    ask = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="introductions_as_ask")
    offer = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="introductions_as_offer")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField(blank=True)
    at = models.DateTimeField()

    objects = IntroductionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ask", "offer", "organisation"], name="unique_introduction_per_organisation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ask_id} and {self.offer_id}, by {self.organisation_id}"
