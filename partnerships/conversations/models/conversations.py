"""Conversations, their sides and attendees, and who may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Partnership
from partnerships.conversations.models.choices import (
    CORRECTABLE_STATUSES,
    HELD_STATUSES,
    SHARED_STATUSES,
    Attribution,
    Format,
    Status,
)
from partnerships.kit.addresses import page_address
from partnerships.kit.vocabularies import VocabularyField
from partnerships.organisations.audience import EDITORS, Organisations, Route, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Who may read a conversation (docs/rights.md): people of the organisations that took part. A draft can be read
#: only by people of the organisation that keeps the record.
ROUTES: tuple[Route, ...] = (
    Organisations("organisation"),
    Organisations("sides__organisation", when=Q(status__in=SHARED_STATUSES)),
)
#: The condition on `Side` that its organisation's people may read the conversation, by the same rule.
READ_BY_SIDE = Q(conversation__status__in=SHARED_STATUSES) | Q(conversation__organisation=models.F("organisation"))


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Filters for conversations by reader, by editor, by organisation and by whether they took place."""

    def visible_to(self, user: User | AnonymousUser) -> ConversationQuerySet:
        """Return the conversations that the person may read."""
        return self.filter(visible_to(Conversation, ROUTES, user))

    def editable_by(self, user: User | AnonymousUser) -> ConversationQuerySet:
        """Return the conversations whose record the person may edit.

        Editors and leads of the organisation that keeps the record may edit it.
        """
        return self.filter(visible_to(Conversation, EDITORS, user))

    def held(self) -> ConversationQuerySet:
        """Return the conversations that took place."""
        return self.filter(status__in=HELD_STATUSES)

    def with_organisation(self, organisation: Organisation | int) -> ConversationQuerySet:
        """Return the conversations in which an organisation took part."""
        sides = Side.objects.filter(organisation=organisation, conversation=models.OuterRef("pk"))
        return self.filter(models.Exists(sides))

    def for_listing(self) -> ConversationQuerySet:
        """Fetch the related rows that a list shows."""
        sides = Side.objects.select_related("organisation").order_by("pk")
        return self.select_related("organisation", "partnership").prefetch_related(
            models.Prefetch("sides", queryset=sides)
        )


@pghistory.track()
class Conversation(models.Model):
    """A conversation and its record, which one organisation keeps and all organisations that took part agree to.

    The status goes planned → draft → circulated → corrected → agreed; a planned conversation may be cancelled.

    A draft is the record of a conversation that took place, and only the organisation that keeps it can read it.
    A database trigger refuses changes to an agreed record. The organisations that took part are its sides (`Side`).
    """

    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        related_name="conversations_kept",
        help_text="The organisation that keeps the record.",
    )
    partnership = models.ForeignKey(
        Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="conversations"
    )

    # The record.
    subject = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status)
    held_on = models.DateField(help_text="The day on which the conversation took place or is planned.")
    format = models.CharField(max_length=10, choices=Format)
    theme = VocabularyField(vocabulary="exchange.Theme", max_length=20, blank=True)
    said = models.TextField(blank=True)
    attribution = models.CharField(max_length=12, choices=Attribution, default=Attribution.NAMED)
    next_contact_on = models.DateField(null=True, blank=True)

    #: Grows with each edit, so that nobody overwrites, or agrees to, a text that they have not seen.
    revision = models.PositiveIntegerField(default=1)

    # When the record was written, circulated and agreed.
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    circulated_at = models.DateTimeField(null=True, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)

    reason = models.TextField(blank=True, help_text="Why the conversation was cancelled.")
    key = models.UUIDField(
        null=True,
        blank=True,
        unique=True,
        help_text="A key from the form, so that sending the form twice creates one conversation.",
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=Status.CANCELLED) | ~Q(reason=""),
                name="cancelled_conversation_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[Status.PLANNED, Status.DRAFT, Status.CANCELLED])
                | Q(circulated_at__isnull=False),
                name="circulated_conversation_has_time",
            ),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True) | Q(status=Status.AGREED),
                name="only_agreed_conversation_has_agreed_at",
            ),
            models.CheckConstraint(
                condition=Q(next_contact_on=None) | Q(next_contact_on__gte=models.F("held_on")),
                name="conversation_next_contact_not_before",
                violation_error_message="The next contact cannot be before this conversation.",
            ),
        ]
        indexes = [
            models.Index(fields=["partnership", "-held_on", "-id"], name="conversation_partnership"),
            models.Index(fields=["organisation", "-held_on", "-id"], name="conversation_organisation"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="agreed_record_locked",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__status=Status.AGREED.value),
            ),
            pgtrigger.Trigger(
                name="copy_to_sides",
                operation=pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.AnyChange("status", "held_on"),
                func="""
                    UPDATE conversations_side SET status = NEW.status, held_on = NEW.held_on
                     WHERE conversation_id = NEW.id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        # Administrators see this text, and the subject is private to the partners, so it is left out.
        return f"Conversation {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the conversation's page."""
        return page_address("conversations:detail", self.pk)

    @property
    def status_words(self) -> str:
        """Return the status in lower case for use in a sentence, such as `circulated`."""
        return self.get_status_display().lower()

    @property
    def names_people(self) -> bool:
        """Return whether other organisations see who took part."""
        return self.attribution == Attribution.NAMED

    @property
    def names_sides(self) -> bool:
        """Return whether other organisations see which organisation said what."""
        return self.attribution != Attribution.ANONYMOUS

    @property
    def is_planned(self) -> bool:
        """Return whether the conversation has not taken place yet."""
        return self.status == Status.PLANNED

    @property
    def is_draft(self) -> bool:
        """Return whether only the organisation that keeps the record may read it."""
        return self.status == Status.DRAFT

    @property
    def is_open_for_correction(self) -> bool:
        """Return whether organisations that took part may suggest corrections of the record."""
        return self.status in CORRECTABLE_STATUSES

    @property
    def is_locked(self) -> bool:
        """Return whether the record is agreed, so that it can no longer change."""
        return self.status == Status.AGREED

    @property
    def is_editable(self) -> bool:
        """Return whether the organisation that keeps the record may change it."""
        return self.status not in (Status.AGREED, Status.CANCELLED)


@pghistory.track(exclude=["status", "held_on"])
class Side(models.Model):
    """An organisation that took part in a conversation, and when it agreed to the record."""

    # These foreign keys need no indexes of their own, because each comes first in the constraint or an index below.
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="sides", db_index=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="conversation_sides", db_index=False
    )
    agreed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    agreed_at = models.DateTimeField(null=True, blank=True)

    # Copies of the conversation's `status` and `held_on`, so that one index finds the records that an organisation has
    # not agreed to. Do not set them in Python. The trigger `copy_to_sides` above and the trigger below set them.
    status = models.CharField(max_length=10, choices=Status, db_default="", editable=False)
    held_on = models.DateField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "organisation"], name="unique_side_per_organisation")
        ]
        indexes = [
            models.Index(fields=["organisation", "conversation"], name="side_organisation"),
            models.Index(fields=["organisation", "-held_on", "-conversation"], include=["status"], name="side_by_day"),
            models.Index(
                fields=["organisation", "conversation"],
                condition=Q(agreed_at=None, status__in=CORRECTABLE_STATUSES),
                name="side_asked_to_agree",
            ),
        ]
        triggers = [
            # This trigger sets the copies even if a model saves all its columns. FOR SHARE stops others from changing
            # the conversation before the side is committed.
            pgtrigger.Trigger(
                name="copy_of_conversation",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("conversation_id", "status", "held_on"),
                when=pgtrigger.Before,
                func="""
                    SELECT status, held_on INTO NEW.status, NEW.held_on FROM conversations_conversation
                     WHERE id = NEW.conversation_id FOR SHARE;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"Organisation {self.organisation_id} in conversation {self.conversation_id}"


@pghistory.track(exclude=["name", "job_title"])
class Attendee(models.Model):
    """A person who took part in a conversation.

    An attendee has either a `person` or, for a person without an account, a `name`.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="attendees")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="attended")
    name = models.CharField(max_length=150, blank=True)
    job_title = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "organisation", "person"],
                condition=Q(person__isnull=False),
                name="unique_attendee_per_side",
            )
        ]

    def __str__(self) -> str:
        return f"Attendee {self.pk}"

    @property
    def display_name(self) -> str:
        """Return the attendee's name. Needs `person` fetched."""
        return self.person.display_name if self.person else self.name or "a former member"
