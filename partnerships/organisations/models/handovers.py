"""Handover lines, which say who takes over each record of an organisation that a succession ends."""

from __future__ import annotations

from collections.abc import Collection

import pghistory
from django.db import models
from django.db.models import Exists, OuterRef, Q

from partnerships.kit.dates import long_date
from partnerships.organisations.models.organisation import Organisation
from partnerships.organisations.models.successions import Succession
from partnerships.people.models import User


class Sharing(models.TextChoices):
    """Whether one or several successors take over a record, and how they share it."""

    ALONE = "alone", "By one organisation"
    SEVERALLY = "severally", "By several organisations, each for its own part"
    JOINTLY = "jointly", "By several organisations, jointly and severally"


class HandoverState(models.TextChoices):
    """The state of a handover line."""

    PROPOSED = "proposed", "Waiting for the successor"
    ACCEPTED = "accepted", "Accepted"
    DISPUTED = "disputed", "Disputed"
    APPLIED = "applied", "Passed on"
    STAYED = "stayed", "Cannot be handed over"


#: States in which the predecessor can still replace a line.
OPEN_HANDOVERS = (HandoverState.PROPOSED, HandoverState.DISPUTED, HandoverState.STAYED)
#: States in which a line can lack a consent.
AWAITING_CONSENT = (HandoverState.PROPOSED, HandoverState.ACCEPTED)


class HandoverQuerySet(models.QuerySet["Handover"]):
    """Filters for handover lines by state, and by missing answers and consents."""

    def ready_to_apply(self) -> HandoverQuerySet:
        """Return accepted lines that have the consent they need.

        These lines are applied once the succession has taken effect.
        """
        return self.filter(Q(consent="") | Q(consent_on__isnull=False), state=HandoverState.ACCEPTED)

    def lacking_consent(self) -> HandoverQuerySet:
        """Return lines that need a consent which has not been recorded.

        Disputed lines are excluded, because the predecessor replaces them.
        """
        awaiting_consent = self.filter(state__in=AWAITING_CONSENT)
        return awaiting_consent.exclude(consent="").filter(consent_on=None)

    def awaiting_answer_from(self, organisation_ids: Collection[int]) -> HandoverQuerySet:
        """Return lines that one of these organisations has not answered yet."""
        accepted_by_successor = AcceptedPart.objects.filter(handover=OuterRef("pk"), organisation=OuterRef("successor"))
        accepted_by_sharer = AcceptedPart.objects.filter(
            handover=OuterRef("handover"), organisation=OuterRef("organisation")
        )
        sharers = HandoverSharer.objects.filter(handover=OuterRef("pk"), organisation__in=organisation_ids)
        waits_for_successor = Q(successor__in=organisation_ids) & ~Exists(accepted_by_successor)
        waits_for_sharer = Exists(sharers.filter(~Exists(accepted_by_sharer)))
        return self.filter(waits_for_successor | waits_for_sharer, state=HandoverState.PROPOSED)


@pghistory.track(exclude=["told_at"])
class Handover(models.Model):
    """Says who takes over one record of an organisation that a succession ends.

    For example, West Surrey takes over a commitment of Guildford. States:

    * proposed by the predecessor → accepted or disputed by the successor
    * disputed → proposed again
    * accepted → applied while the succession is in force → accepted again if the succession is undone
    * accepted → stayed, with a reason, if the line cannot be applied

    A commitment between the predecessor and the successor stays, because both sides would be one organisation.

    Several successors may share a record. A shared line is accepted once each of them has accepted its part, and
    disputed if one of them disputes it.

    If a line needs a consent, it is applied only after a person has recorded who gave the consent and when, and where
    people can read it. If the consent is refused, the line is disputed.
    """

    succession = models.ForeignKey(Succession, on_delete=models.PROTECT, related_name="handovers")
    predecessor = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")

    # The record, with its title and figures at the time of the proposal.
    kind = models.CharField(max_length=40, help_text="The code of the kind of obligation.")
    record = models.BigIntegerField()
    title = models.CharField(max_length=300)
    homes = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    money = models.DecimalField("money (£)", max_digits=14, decimal_places=2, null=True, blank=True)

    #: The organisation that takes over the record, and `others` that share it.
    successor = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    sharing = models.CharField(max_length=9, choices=Sharing, default=Sharing.ALONE)
    others = models.ManyToManyField(Organisation, blank=True, related_name="+")
    basis = models.CharField(
        max_length=300, blank=True, help_text="What the handover rests on, for example an article of the order."
    )

    # The consent, if one is needed.
    consent = models.CharField(max_length=300, blank=True, help_text="Whose consent is needed.")
    consent_from = models.CharField(max_length=200, blank=True, db_default="", help_text="Who gave the consent.")
    consent_on = models.DateField(null=True, blank=True, help_text="When the consent was given.")
    consent_recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    consent_recorded_at = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(max_length=300, blank=True, help_text="Where people can read the consent or agreement.")

    # The state of the line.
    due_on = models.DateField(null=True, blank=True, help_text="The date by which the successor should answer.")
    state = models.CharField(max_length=8, choices=HandoverState, default=HandoverState.PROPOSED)
    proposed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    dispute = models.TextField(blank=True, help_text="Why the successor disputes the handover.")
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When we emailed the successor’s leads about the handover."
    )
    applied_at = models.DateTimeField(null=True, blank=True)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["succession", "predecessor", "kind", "record"], name="unique_handover_per_obligation"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[HandoverState.DISPUTED, HandoverState.STAYED]) | ~Q(dispute=""),
                name="disputed_handover_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state=HandoverState.APPLIED) | Q(applied_at__isnull=False),
                name="applied_handover_has_time",
            ),
            models.CheckConstraint(
                condition=Q(consent_on=None) | ~(Q(consent_from="") | Q(evidence="")),
                name="handover_consent_has_evidence",
            ),
        ]
        indexes = [models.Index(fields=["succession", "state", "predecessor", "kind"], name="handover_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record} of {self.predecessor_id} to {self.successor_id}"

    @property
    def lacks_consent(self) -> bool:
        """Return True if the line needs a consent that has not been recorded."""
        return bool(self.consent) and self.consent_on is None and self.state in AWAITING_CONSENT

    @property
    def consent_in_words(self) -> str:
        """Return whose consent is needed, and whether it was given; empty if the line needs no consent."""
        if not self.consent:
            return ""
        if self.consent_on is None:
            return f"{self.consent}: not given yet"
        return f"{self.consent}: given by {self.consent_from} on {long_date(self.consent_on)}"


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent(), obj_field=None)
class HandoverSharer(Handover.others.through):  # type: ignore[name-defined,misc]  # made by Django
    """A successor that shares a line. The table has a model so that row history includes it."""

    class Meta:
        proxy = True


@pghistory.track()
class AcceptedPart(models.Model):
    """One successor's acceptance of its part of a shared line."""

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="accepted_parts")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["handover", "organisation"], name="unique_accepted_part_per_successor")
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} accepted {self.handover_id}"
