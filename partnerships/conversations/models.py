"""Conversations: who met, what was said, points and next steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Theme
from partnerships.organisations.audience import EDITORS, Organisations, Route, readers_of, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Format(models.TextChoices):
    """How people met."""

    IN_PERSON = "in_person", "In person"
    VIDEO = "video", "Video call"
    PHONE = "phone", "Phone call"
    SITE_VISIT = "site_visit", "Site visit"
    EVENT = "event", "Event or workshop"
    WRITING = "writing", "Letters or email"


class Status(models.TextChoices):
    """State of the record."""

    PLANNED = "planned", "Planned"
    DRAFT = "draft", "Draft"
    CIRCULATED = "circulated", "Circulated"
    CORRECTED = "corrected", "Corrected"
    AGREED = "agreed", "Agreed"
    CANCELLED = "cancelled", "Cancelled"


class Attribution(models.TextChoices):
    """How other organisations see who said what."""

    NAMED = "named", "Named: people and organisations"
    ORGANISATION = "organisation", "Organisations only"
    ANONYMOUS = "anonymous", "Anonymous: neither people nor organisations"


#: Statuses in which every side may read the record.
SHARED = (Status.PLANNED, Status.CIRCULATED, Status.CORRECTED, Status.AGREED, Status.CANCELLED)
#: Statuses of a conversation that took place.
HELD = (Status.DRAFT, Status.CIRCULATED, Status.CORRECTED, Status.AGREED)
#: Statuses in which sides are asked to agree to the record.
OPEN_FOR_CORRECTION = (Status.CIRCULATED, Status.CORRECTED)

#: Readers (docs/rights.md): the organisations that took part; of a draft, only its keeper.
ROUTES: tuple[Route, ...] = (
    Organisations("organisation"),
    Organisations("sides__organisation", when=Q(status__in=SHARED)),
)


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Filters by reader, by who may write, and by whether it took place."""

    def visible_to(self, user: User | AnonymousUser) -> ConversationQuerySet:
        """Conversations that the person may read."""
        return self.filter(visible_to(Conversation, ROUTES, user))

    def editable_by(self, user: User | AnonymousUser) -> ConversationQuerySet:
        """Those whose record the person may write.

        For editors and leads of the organisation that keeps it.
        """
        return self.filter(visible_to(Conversation, EDITORS, user))

    def held(self) -> ConversationQuerySet:
        """Those that took place."""
        return self.filter(status__in=HELD)

    def with_organisation(self, organisation: Organisation) -> ConversationQuerySet:
        """Conversations in which an organisation took part."""
        took_part = Side.objects.filter(organisation=organisation, conversation=models.OuterRef("pk"))
        return self.filter(models.Exists(took_part))

    def for_listing(self) -> ConversationQuerySet:
        """Fetch what a list shows; the caller orders."""
        sides = Side.objects.select_related("organisation").order_by("pk")
        return self.select_related("organisation", "partnership").prefetch_related(
            models.Prefetch("sides", queryset=sides)
        )


@pghistory.track()
class Conversation(models.Model):
    """Record of a conversation: kept by one organisation, agreed by all sides.

    planned → draft (it took place; only its keeper reads it) → circulated → corrected → agreed, and then locked, in the
    database too. A planned one may be cancelled. `revision` rises with each edit, so that nobody overwrites, or agrees
    to, what they have not seen. Private notes are separate rows.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="conversations_kept", help_text="Keeps the record."
    )
    partnership = models.ForeignKey(
        Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="conversations"
    )
    subject = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status)
    held_on = models.DateField(help_text="The day it took place, or is planned for.")
    format = models.CharField(max_length=10, choices=Format)
    theme = models.CharField(max_length=20, choices=Theme, blank=True)
    said = models.TextField(blank=True)
    attribution = models.CharField(max_length=12, choices=Attribution, default=Attribution.NAMED)
    next_contact_on = models.DateField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    circulated_at = models.DateTimeField(null=True, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it was cancelled.")
    key = models.UUIDField(
        null=True, blank=True, unique=True, help_text="Given by the form, so that a form sent twice makes one."
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=Status.CANCELLED) | ~Q(reason=""),
                name="conversation_cancelled_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[Status.PLANNED, Status.DRAFT, Status.CANCELLED])
                | Q(circulated_at__isnull=False),
                name="conversation_circulated_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True) | Q(status=Status.AGREED),
                name="conversation_agreed_when_locked",
            ),
            models.CheckConstraint(
                condition=Q(next_contact_on=None) | Q(next_contact_on__gte=models.F("held_on")),
                name="conversation_next_contact_after",
                violation_error_message="The next contact must not be before this one.",
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
            )
        ]

    def __str__(self) -> str:
        # Without the subject: administrators see this text, and the subject is private to the partners.
        return f"Conversation {self.pk}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("conversations:detail", args=[self.pk])

    @property
    def names_people(self) -> bool:
        """Whether other sides see who took part."""
        return self.attribution == Attribution.NAMED

    @property
    def names_sides(self) -> bool:
        """Whether other sides see which organisation said what."""
        return self.attribution != Attribution.ANONYMOUS

    @property
    def is_planned(self) -> bool:
        """Whether it has still to take place."""
        return self.status == Status.PLANNED

    @property
    def is_draft(self) -> bool:
        """Whether only its keeper may read it."""
        return self.status == Status.DRAFT

    @property
    def is_open_for_correction(self) -> bool:
        """Whether the sides may correct it."""
        return self.status in OPEN_FOR_CORRECTION

    @property
    def is_locked(self) -> bool:
        """Whether all sides have agreed, and it can no longer change."""
        return self.status == Status.AGREED

    @property
    def is_editable(self) -> bool:
        """Whether its keeper may change it."""
        return self.status not in (Status.AGREED, Status.CANCELLED)


@pghistory.track()
class Side(models.Model):
    """An organisation that took part, and when it agreed to the record."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="sides")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="conversation_sides")
    agreed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    agreed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "organisation"], name="one_side_an_organisation")
        ]
        indexes = [models.Index(fields=["organisation", "conversation"], name="side_organisation")]

    def __str__(self) -> str:
        return f"{self.organisation_id} in {self.conversation_id}"


@pghistory.track(exclude=["name", "job_title"])
class Attendee(models.Model):
    """Somebody who was there: a known person, or a typed name."""

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
                name="one_seat_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"Attendee {self.pk}"

    @property
    def display_name(self) -> str:
        """The attendee's name. Needs `person` fetched."""
        return self.person.display_name if self.person else self.name or "a former member"


class PointKind(models.TextChoices):
    """Objective, obstacle or opportunity (docs/glossary.md)."""

    OBJECTIVE = "objective", "Objective"
    OBSTACLE = "obstacle", "Obstacle"
    OPPORTUNITY = "opportunity", "Opportunity"


_LOCKED = """
IF EXISTS (
    SELECT 1 FROM conversations_conversation
    WHERE id = OLD.conversation_id AND status = 'agreed'
) THEN
    RAISE EXCEPTION 'The record of conversation % is agreed and locked', OLD.conversation_id;
END IF;
"""


class PointQuerySet(models.QuerySet["Point"]):
    """Filters by reader, and by whether points still hold."""

    def visible_to(self, user: User | AnonymousUser) -> PointQuerySet:
        """Points of conversations that the person may read."""
        return self.filter(conversation__in=Conversation.objects.visible_to(user))

    def current(self) -> PointQuerySet:
        """Points that were not closed."""
        return self.filter(closed_at=None)


@pghistory.track()
class Point(models.Model):
    """An objective, obstacle or opportunity of one side, until it closes it.

    The words are part of the record: once it is agreed, the database refuses to change or delete them.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="points")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="points")
    kind = models.CharField(max_length=11, choices=PointKind)
    text = models.CharField(max_length=500)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    closed_reason = models.CharField(max_length=300, blank=True)

    #: The ask or offer it became, if the reader may see it; `queries.show_entries` sets it.
    entry_shown: Entry | None = None
    #: What the reader may do with it; `queries.let_act` sets both.
    may_close = False
    may_become = False

    objects = PointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closed_at=None) | ~Q(closed_reason=""), name="point_closed_with_reason")
        ]
        indexes = [models.Index(fields=["organisation", "kind"], name="point_organisation")]
        triggers = [
            pgtrigger.Trigger(
                name="point_words_locked",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("conversation", "organisation", "kind", "text"),
                func=f"{_LOCKED} RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="point_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=f"{_LOCKED} RETURN OLD;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_current(self) -> bool:
        """Whether it still holds."""
        return self.closed_at is None

    @property
    def direction(self) -> str:
        """What it can become: `ask`, `offer` or empty.

        An obstacle becomes an ask, an opportunity an offer; an objective neither.
        """
        return {PointKind.OBSTACLE: "ask", PointKind.OPPORTUNITY: "offer"}.get(PointKind(self.kind), "")


@pghistory.track()
class PointEntry(models.Model):
    """The ask or offer that a point became."""

    point = models.OneToOneField(Point, on_delete=models.PROTECT, related_name="became")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="from_points")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "point entries"

    def __str__(self) -> str:
        return f"{self.point_id} became {self.entry_id}"


class PrivateNoteQuerySet(models.QuerySet["PrivateNote"]):
    """Filters by reader: only people of the organisation that wrote it."""

    def visible_to(self, user: User | AnonymousUser) -> PrivateNoteQuerySet:
        """Notes of the person's own organisations."""
        return self.filter(visible_to(PrivateNote, (Organisations("organisation"),), user))


@pghistory.track(exclude=["text"])
class PrivateNote(models.Model):
    """What one organisation notes for itself about a conversation.

    Restricted: shown only on the conversation's page, to people of that organisation. Row history keeps author and
    time, but not the text, which administrators could read there.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="private_notes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    objects = PrivateNoteQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "organisation"], name="one_private_note_a_side")]

    def __str__(self) -> str:
        return f"Private note {self.pk}"


@pghistory.track()
class NextStep(models.Model):
    """A next step; it becomes an action when the record is circulated."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="next_steps")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.CharField(max_length=500)
    due_on = models.DateField()
    action = models.OneToOneField(Commitment, on_delete=models.PROTECT, null=True, blank=True, related_name="next_step")

    def __str__(self) -> str:
        return f"Next step {self.pk}"


@pghistory.track()
class ConversationCommitment(models.Model):
    """A commitment that came from a conversation."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="commitments")
    commitment = models.ForeignKey(Commitment, on_delete=models.PROTECT, related_name="from_conversations")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "commitment"], name="one_conversation_link")]

    def __str__(self) -> str:
        return f"{self.commitment_id} from {self.conversation_id}"


@pghistory.track()
class Correction(models.Model):
    """What a side wants corrected: open → accepted or refused, with an answer."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="corrections")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    made_at = models.DateTimeField()
    taken_up = models.BooleanField(null=True, blank=True)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_up=None, answered_at=None) | Q(taken_up__isnull=False, answered_at__isnull=False),
                name="correction_answered_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"Correction {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.answered_at is None


def conversation_readers(conversation: Conversation) -> models.QuerySet[User]:
    """People who may read a conversation."""
    return readers_of(Conversation, ROUTES, conversation)
