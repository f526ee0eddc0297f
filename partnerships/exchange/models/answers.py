"""What comes back for an entry: receipts (seen, declined, referred), questions, and responses that it can accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.commitments.quantities import delivered_words
from partnerships.exchange.models.entries import Entry
from partnerships.organisations.audience import Organisations, Route, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Answers are between the one who asks and the one who answers: other addressees do not see them.
BOTH_SIDES: tuple[Route, ...] = (Organisations("organisation"), Organisations("entry__organisation"))


class ResponseStatus(models.TextChoices):
    """Made, then accepted or declined by the entry's organisation, or withdrawn by its maker."""

    MADE = "made", "Made"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ResponseQuerySet(models.QuerySet["Response"]):
    """Responses by who may read them: the two organisations concerned."""

    def visible_to(self, user: User | AnonymousUser) -> ResponseQuerySet:
        """Those made by, or to, an organisation of the person."""
        return self.filter(visible_to(Response, BOTH_SIDES, user))

    def waiting(self) -> ResponseQuerySet:
        """Those that the entry's organisation has not decided."""
        return self.filter(status=ResponseStatus.MADE)


@pghistory.track()
class Response(models.Model):
    """An organisation's answer to another's ask or offer: made → accepted, declined or withdrawn.

    `quantity` is what the answer covers (none: all that is left), in the entry's unit; `agreed_quantity` what was
    accepted. `counterpart` is the answering organisation's own entry that fits: an offer for the ask, or the reverse.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="responses")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="responses")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    agreed_quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    counterpart = models.ForeignKey(Entry, on_delete=models.SET_NULL, null=True, blank=True, related_name="answering")
    status = models.CharField(max_length=10, choices=ResponseStatus, default=ResponseStatus.MADE)
    reason = models.TextField(blank=True)
    made_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ResponseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "organisation"],
                condition=Q(status=ResponseStatus.MADE),
                name="one_open_response_an_organisation",
                violation_error_message="Your organisation has already answered; wait for its answer or withdraw.",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gt=0),
                name="response_quantity_positive",
                violation_error_message="The quantity must be more than nothing.",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "status"], name="response_organisation")]

    def __str__(self) -> str:
        return f"Response {self.pk}"

    @property
    def is_waiting(self) -> bool:
        """Whether the entry's organisation has not decided it."""
        return self.status == ResponseStatus.MADE

    @property
    def is_accepted(self) -> bool:
        """Whether the entry's organisation accepted it."""
        return self.status == ResponseStatus.ACCEPTED

    @property
    def amount(self) -> str:
        """What was accepted, or what the answer covers, with its unit."""
        return self.entry.in_words(self.agreed_quantity or self.quantity)

    @property
    def part_words(self) -> str:
        """`40 of 60 homes`, or the `amount` where the entry counts nothing or it is all of it."""
        part, entry = self.agreed_quantity or self.quantity, self.entry
        if part is None or entry.quantity is None or part == entry.quantity:
            return self.amount
        return delivered_words(part, entry.quantity, entry.unit)


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """Receipts by who may read them: the two organisations concerned."""

    def visible_to(self, user: User | AnonymousUser) -> ReceiptQuerySet:
        """Those given by, or to, an organisation of the person."""
        return self.filter(visible_to(Receipt, BOTH_SIDES, user))

    def of_person(self, user: User | AnonymousUser) -> ReceiptQuerySet:
        """Those of organisations the person acts for: with whom it is there is nobody else's business."""
        return self.filter(organisation__in=Organisation.objects.of_person(user))


@pghistory.track()
class Receipt(models.Model):
    """Where an addressed organisation stands with an entry: seen, declined for its part, or given to a colleague."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="receipts")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    declined_at = models.DateTimeField(null=True, blank=True)
    declined_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)
    referred_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    referred_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    referred_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, help_text="For the colleague; read by their own organisation only.")

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "organisation"], name="one_receipt_an_organisation")]

    def __str__(self) -> str:
        return f"{self.organisation_id} about {self.entry_id}"

    @property
    def is_declined(self) -> bool:
        """Whether this organisation said no for its part."""
        return self.declined_at is not None


class QuestionQuerySet(models.QuerySet["Question"]):
    """Questions by who may read them: the two organisations concerned."""

    def visible_to(self, user: User | AnonymousUser) -> QuestionQuerySet:
        """Those put by, or to, an organisation of the person."""
        return self.filter(visible_to(Question, BOTH_SIDES, user))

    def open(self) -> QuestionQuerySet:
        """Those without an answer."""
        return self.filter(answered_at=None)


@pghistory.track()
class Question(models.Model):
    """An addressed organisation asks back before it answers: put → answered by the entry's organisation."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="questions")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    asked_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["entry", "asked_at"], name="question_entry")]

    def __str__(self) -> str:
        return f"Question {self.pk}"

    @property
    def is_answered(self) -> bool:
        """Whether it has its answer."""
        return self.answered_at is not None
