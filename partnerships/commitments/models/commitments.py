"""Commitments, and who may read them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models.choices import (
    FINAL_STATUSES,
    UNDELIVERED_STATUSES,
    UNDER_WAY_STATUSES,
    Kind,
    Status,
)
from partnerships.commitments.models.routes import CONFIRMERS, PRESENT_ROUTES, ROUTES
from partnerships.commitments.quantities import delivered_words, quantity_words
from partnerships.kit.addresses import page_address
from partnerships.kit.dates import overdue_in_words
from partnerships.kit.vocabularies import VocabularyField
from partnerships.organisations.audience import Organisations, readers_of, visible_to
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def overdue_on(day: dt.date) -> Q:
    """Return the condition that a commitment is under way and was due before a day."""
    return Q(status__in=UNDER_WAY_STATUSES, due_on__lt=day)


class CommitmentQuerySet(models.QuerySet["Commitment"]):
    """Filters for commitments by reader, by the people who may act, and by status."""

    def visible_to(self, user: User | AnonymousUser) -> CommitmentQuerySet:
        """Return commitments that the person may read."""
        return self.filter(visible_to(Commitment, ROUTES, user))

    def followed_by(self, user: User | AnonymousUser) -> CommitmentQuerySet:
        """Return commitments whose future events the person may see."""
        return self.filter(visible_to(Commitment, PRESENT_ROUTES, user))

    def editable_by(self, user: User | AnonymousUser) -> CommitmentQuerySet:
        """Return commitments whose giver or receiver the person edits for."""
        routes = (Organisations("giver", roles=EDITING_ROLES), Organisations("receiver", roles=EDITING_ROLES))
        return self.filter(visible_to(Commitment, routes, user))

    def awaiting_confirmation_by(self, user: User | AnonymousUser) -> CommitmentQuerySet:
        """Return proposed commitments that the person must confirm as a lead of the giver or receiver."""
        return self.filter(visible_to(Commitment, CONFIRMERS, user), status=Status.PROPOSED)

    def awaiting_verification(self) -> CommitmentQuerySet:
        """Return done commitments that nobody has verified.

        Actions without `done_by` were done before actions needed to be verified, so they are left out.
        """
        return self.filter(Q(kind=Kind.COMMITMENT) | Q(done_by__isnull=False), status=Status.DONE)

    def under_way(self) -> CommitmentQuerySet:
        """Return commitments that are agreed and not yet done."""
        return self.filter(status__in=UNDER_WAY_STATUSES)

    def overdue(self, today: dt.date) -> CommitmentQuerySet:
        """Return commitments that are agreed, not yet done and past their due date."""
        return self.filter(overdue_on(today))

    def of_organisation(self, organisation_id: int) -> CommitmentQuerySet:
        """Return commitments that an organisation gives or receives."""
        return self.filter(Q(giver=organisation_id) | Q(receiver=organisation_id))

    def between(self, first: Organisation, second: Organisation) -> CommitmentQuerySet:
        """Return commitments from one of two organisations to the other."""
        return self.filter(Q(giver=first, receiver=second) | Q(giver=second, receiver=first))

    def for_listing(self) -> CommitmentQuerySet:
        """Fetch the related rows that a list shows."""
        return self.select_related("giver", "receiver", "owner", "owner_organisation", "partnership")


@pghistory.track()
class Commitment(models.Model):
    """A promise of one organisation to another, or an action, which is a task for one organisation.

    The usual statuses are proposed → agreed → in progress → at risk or blocked → done → verified.

    - It is agreed when giver and receiver have confirmed. An action needs only the giver.
    - It cannot be blocked without a `blocker`.
    - The receiver verifies it. An action is verified by a second person.
    - If the delivery is sent back, the status changes from done to in progress.
    - Before it is verified, it can be cancelled or superseded with a reason.

    Each change of the due date is stored as a `Slippage`.
    """

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.COMMITMENT)
    reference = models.CharField(max_length=24, unique=True)
    text = models.TextField()

    #: The organisation that promises something. Empty if it is not in the directory.
    giver = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="commitments_given"
    )
    #: For a giver that is not in the directory, such as the developer in a published section 106 agreement.
    giver_name = models.CharField("giver outside the network", max_length=300, blank=True)
    receiver = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="commitments_received"
    )
    partnership = models.ForeignKey(
        Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="commitments"
    )

    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    unit = VocabularyField(vocabulary="commitments.Unit", max_length=10, blank=True)
    delivered_quantity = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))

    #: The person who is responsible for the delivery.
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="commitments_owned")
    owner_organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The organisation that is responsible if the owner leaves.",
    )
    #: The present due date, and the first.
    due_on = models.DateField(null=True, blank=True)
    original_due_on = models.DateField(null=True, blank=True)

    status = models.CharField(max_length=12, choices=Status, default=Status.PROPOSED)
    status_since = models.DateTimeField()
    #: Incremented when the terms change. People can confirm only the revision that they have seen.
    revision = models.PositiveIntegerField(default=1)

    proposed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    #: The giver or receiver on whose behalf the commitment was proposed.
    proposed_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    giver_confirmed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    giver_confirmed_at = models.DateTimeField(null=True, blank=True)
    receiver_confirmed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    receiver_confirmed_at = models.DateTimeField(null=True, blank=True)

    #: What prevents the delivery, as the last progress report says.
    blocker = models.TextField(blank=True)
    escalated_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    escalated_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The person who reported the commitment as done. Empty for actions that were done before actions "
        "needed to be verified.",
    )
    verified_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    verified_at = models.DateTimeField(null=True, blank=True)

    #: The commitment that this one supersedes once it is agreed.
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    reason = models.TextField(blank=True, help_text="Why the commitment was cancelled or superseded.")
    key = models.UUIDField(
        null=True,
        blank=True,
        unique=True,
        help_text="A key from the form, so that sending the form twice creates one commitment.",
    )

    tells_stakeholders = models.BooleanField(
        "tell stakeholders",
        default=False,
        help_text="We tell stakeholders without an account the commitment’s title, date and status.",
    )

    source = models.CharField(
        max_length=60, blank=True, help_text="The register that the commitment was imported from."
    )
    source_reference = models.CharField(max_length=200, blank=True)

    objects = CommitmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(giver__isnull=False, giver_name="") | (Q(giver=None) & ~Q(giver_name="")),
                name="commitment_has_one_giver",
                violation_error_message="Choose the organisation that gives.",
            ),
            models.CheckConstraint(
                condition=Q(receiver__isnull=False) | Q(kind=Kind.ACTION),
                name="commitment_has_receiver",
                violation_error_message="Choose the organisation that receives.",
            ),
            models.CheckConstraint(
                condition=Q(giver=None) | Q(receiver=None) | ~Q(giver=F("receiver")),
                name="commitment_giver_is_not_receiver",
                violation_error_message="The giver and the receiver must be different organisations.",
            ),
            models.CheckConstraint(
                condition=Q(giver=None) | Q(due_on__isnull=False, original_due_on__isnull=False),
                name="commitment_has_due_date",
                violation_error_message="Enter a due date.",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | (Q(quantity__gt=0) & ~Q(unit="")),
                name="commitment_quantity_has_unit",
                violation_error_message="The quantity must be more than 0 and have a unit.",
            ),
            models.CheckConstraint(condition=Q(delivered_quantity__gte=0), name="commitment_delivered_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=[Status.PROPOSED, *UNDELIVERED_STATUSES])
                | Q(giver_confirmed_at__isnull=False) & (Q(receiver_confirmed_at__isnull=False) | Q(kind=Kind.ACTION)),
                name="commitment_agreed_by_both",
                violation_error_message="Both sides must confirm the commitment first.",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.BLOCKED) | ~Q(blocker=""),
                name="blocked_commitment_has_blocker",
                violation_error_message="Enter what is blocking the work.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=UNDELIVERED_STATUSES) | ~Q(reason=""),
                name="ended_commitment_has_reason",
                violation_error_message="Enter a reason.",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.VERIFIED) | Q(verified_at__isnull=False, done_at__isnull=False),
                name="verified_commitment_has_times",
            ),
            models.UniqueConstraint(
                fields=["source", "source_reference", "receiver"],
                condition=~Q(source_reference=""),
                name="unique_commitment_per_source_row",
            ),
        ]
        indexes = [
            models.Index(fields=["giver", "status", "due_on", "id"], name="commitment_giver"),
            models.Index(fields=["receiver", "status", "due_on", "id"], name="commitment_receiver"),
            models.Index(fields=["partnership", "status", "due_on", "id"], name="commitment_partnership"),
            models.Index(fields=["owner", "status", "due_on"], name="commitment_owner"),
            models.Index(fields=["due_on", "id"], condition=Q(status__in=UNDER_WAY_STATUSES), name="commitment_due"),
            models.Index(
                fields=["owner_organisation", "id"],
                condition=Q(owner=None, giver__isnull=False, status__in=UNDER_WAY_STATUSES),
                name="commitment_without_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        """Return the URL of the commitment's page."""
        return page_address("commitments:detail", self.pk)

    @property
    def is_action(self) -> bool:
        """Return whether this is an action of one organisation, not a promise between two."""
        return self.kind == Kind.ACTION

    @property
    def is_proposed(self) -> bool:
        """Return whether the giver or the receiver still has to confirm."""
        return self.status == Status.PROPOSED

    @property
    def is_under_way(self) -> bool:
        """Return whether the commitment is agreed and not yet done."""
        return self.status in UNDER_WAY_STATUSES

    @property
    def is_done(self) -> bool:
        """Return whether the commitment has been reported done and not yet verified or sent back."""
        return self.status == Status.DONE

    @property
    def is_verified(self) -> bool:
        """Return whether the delivery has been verified."""
        return self.status == Status.VERIFIED

    @property
    def is_blocked(self) -> bool:
        """Return whether work on the commitment is blocked."""
        return self.status == Status.BLOCKED

    @property
    def status_words(self) -> str:
        """Return the status in lower case for a sentence, such as `in progress`."""
        return self.get_status_display().lower()

    @property
    def is_over(self) -> bool:
        """Return whether the status is final.

        A done action without `done_by` is final too. It is older than the rule that actions must be verified.
        """
        return self.status in FINAL_STATUSES or (self.is_action and self.is_done and self.done_by_id is None)

    @property
    def was_broken(self) -> bool:
        """Return whether the commitment was cancelled after giver and receiver had confirmed it."""
        return (
            self.status == Status.CANCELLED
            and self.giver_confirmed_at is not None
            and self.receiver_confirmed_at is not None
        )

    @property
    def has_slipped(self) -> bool:
        """Return whether the present due date differs from the first."""
        return self.due_on != self.original_due_on

    @property
    def slipped_days(self) -> int:
        """Return the days from the first due date to the present one. Negative if the date was brought forward."""
        if self.due_on is None or self.original_due_on is None:
            return 0
        return (self.due_on - self.original_due_on).days

    @property
    def outstanding(self) -> Decimal | None:
        """Return the quantity that is still to be delivered, or None if no quantity was promised."""
        return None if self.quantity is None else max(self.quantity - self.delivered_quantity, Decimal(0))

    @property
    def percent_delivered(self) -> int:
        """Return the delivered part in whole per cent, at most 100, or 0 if no quantity was promised."""
        return min(100, int(100 * self.delivered_quantity / self.quantity)) if self.quantity else 0

    @property
    def giver_words(self) -> str:
        """Return the name of the giver. Fetch `giver` with the commitment."""
        return self.giver.display_name if self.giver else self.giver_name

    @property
    def receiver_words(self) -> str:
        """Return the name of the receiver, or "" for an action without one. Fetch `receiver` with the commitment."""
        return self.receiver.display_name if self.receiver else ""

    @property
    def organisation_words(self) -> str:
        """Return the giver and the receiver, such as `Larkhaven Homes to Westmarch`.

        For an action without a receiver, return the giver's name. Fetch `giver` and `receiver` with the commitment.
        """
        return f"{self.giver_words} to {self.receiver_words}" if self.receiver else self.giver_words

    @property
    def quantity_words(self) -> str:
        """Return the promised quantity, such as `60 homes`, or "" if none was promised."""
        return quantity_words(self.quantity, self.unit)

    @property
    def delivered_words(self) -> str:
        """Return the delivered part, such as `40 of 60 homes`, or "" if no quantity was promised."""
        return delivered_words(self.delivered_quantity, self.quantity, self.unit)

    @property
    def delivery_noun(self) -> str:
        """Return the object of a verification in a sentence: `the action` or `the delivery`."""
        return "the action" if self.is_action else "the delivery"

    @property
    def awaited_step(self) -> str:
        """Return the next step in words, such as `to verify the delivery`, or "" if nobody has to confirm or verify."""
        if self.is_proposed:
            return "to accept this action" if self.is_action else "to confirm this commitment"
        if not self.is_done or self.is_over:
            return ""
        return "to verify this action" if self.is_action else "to verify the delivery"

    def is_overdue(self, today: dt.date) -> bool:
        """Return whether the commitment is under way and past its due date."""
        return self.is_under_way and self.due_on is not None and self.due_on < today

    @property
    def overdue_words(self) -> str:
        """Return how late the commitment is today, such as `overdue by 3 days`, or "" if it is not overdue."""
        today = timezone.localdate()
        return overdue_in_words(self.due_on, today) if self.due_on is not None and self.is_overdue(today) else ""


def commitment_readers(commitment: Commitment) -> models.QuerySet[User]:
    """Return the people who may read a commitment."""
    return readers_of(Commitment, ROUTES, commitment)
