"""Answers to an ask or offer: receipts, questions and responses.

An entry is an ask or an offer. The organisation that shared it asks others, which acknowledge it (`Receipt`), ask
back (`Question`) and answer (`Response`).
"""

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

#: Only the organisation that shared the entry and the organisation that answers can read an answer.
BOTH_SIDES: tuple[Route, ...] = (Organisations("organisation"), Organisations("entry__organisation"))


class ResponseStatus(models.TextChoices):
    """The status of a response: made, then accepted or declined by the entry's organisation, or withdrawn."""

    MADE = "made", "Waiting for a decision"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ResponseQuerySet(models.QuerySet["Response"]):
    """Filters for responses by reader and by status. Only the two organisations may read a response."""

    def visible_to(self, user: User | AnonymousUser) -> ResponseQuerySet:
        """Return responses made by, or to, an organisation of the person."""
        return self.filter(visible_to(Response, BOTH_SIDES, user))

    def waiting(self) -> ResponseQuerySet:
        """Return the responses that nobody has decided on yet."""
        return self.filter(status=ResponseStatus.MADE)


@pghistory.track()
class Response(models.Model):
    """An organisation's answer to another's ask or offer.

    A response is made, then accepted or declined by the entry's organisation, or withdrawn by its own. An organisation
    has at most one response to an entry that awaits a decision.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="responses")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="responses")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()

    #: What the answer covers, in the entry's unit; None for all that is left.
    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    #: What was accepted.
    agreed_quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    #: The answering organisation's own matching entry.
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
                name="unique_open_response_per_organisation",
                violation_error_message="Your organisation has already answered. Wait for the decision, or withdraw "
                "the answer.",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gt=0),
                name="response_quantity_positive",
                violation_error_message="The quantity must be more than 0.",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "status"], name="response_organisation")]

    def __str__(self) -> str:
        return f"Response {self.pk}"

    @property
    def is_waiting(self) -> bool:
        """Return whether nobody has decided on the response yet."""
        return self.status == ResponseStatus.MADE

    @property
    def is_accepted(self) -> bool:
        """Return whether the entry's organisation accepted the response."""
        return self.status == ResponseStatus.ACCEPTED

    @property
    def amount(self) -> str:
        """Return the quantity that was accepted, or else the quantity that was answered, with its unit."""
        return self.entry.in_words(self.agreed_quantity or self.quantity)

    @property
    def part_words(self) -> str:
        """Return which part of the entry was answered, such as `40 of 60 homes`.

        Returns only the `amount` if the answer covers everything or the entry has no quantity.
        """
        part, entry = self.agreed_quantity or self.quantity, self.entry
        if part is None or entry.quantity is None or part == entry.quantity:
            return self.amount
        return delivered_words(part, entry.quantity, entry.unit)


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """Filters for receipts by reader. Only the two organisations may read a receipt."""

    def visible_to(self, user: User | AnonymousUser) -> ReceiptQuerySet:
        """Return receipts given by, or to, an organisation of the person."""
        return self.filter(visible_to(Receipt, BOTH_SIDES, user))

    def of_person(self, user: User | AnonymousUser) -> ReceiptQuerySet:
        """Return the receipts of organisations that the person acts for.

        Nobody else may see which colleague deals with an entry.
        """
        return self.filter(organisation__in=Organisation.objects.of_person(user))


@pghistory.track()
class Receipt(models.Model):
    """The record that an asked organisation has acknowledged or declined an entry, or referred it to a colleague.

    There is one row for an entry and an organisation.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="receipts")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")

    # The entry was seen, and maybe declined.
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    declined_at = models.DateTimeField(null=True, blank=True)
    declined_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)

    # The colleague who is to deal with the entry.
    referred_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    referred_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    referred_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, help_text="A message to the colleague. Only your organisation can read it.")

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "organisation"], name="unique_receipt_per_organisation")
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} about {self.entry_id}"

    @property
    def is_declined(self) -> bool:
        """Return whether this organisation declined."""
        return self.declined_at is not None


class QuestionQuerySet(models.QuerySet["Question"]):
    """Filters for questions by reader. Only the two organisations may read a question."""

    def visible_to(self, user: User | AnonymousUser) -> QuestionQuerySet:
        """Return questions from, or to, an organisation of the person."""
        return self.filter(visible_to(Question, BOTH_SIDES, user))

    def unanswered(self) -> QuestionQuerySet:
        """Return questions without an answer."""
        return self.filter(answered_at=None)


@pghistory.track()
class Question(models.Model):
    """A question that an asked organisation puts to the organisation that shared the entry, before it answers."""

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
        """Return whether the question has an answer."""
        return self.answered_at is not None
