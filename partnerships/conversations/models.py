"""Conversations between partners: who met, what was said, what each side wants, and what follows from it."""

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
    """Where the record of a conversation is in its life."""

    PLANNED = "planned", "Planned"
    DRAFT = "draft", "Draft"
    CIRCULATED = "circulated", "Circulated"
    CORRECTED = "corrected", "Corrected"
    AGREED = "agreed", "Agreed"
    CANCELLED = "cancelled", "Cancelled"


class Attribution(models.TextChoices):
    """How readers of another organisation learn who said what."""

    NAMED = "named", "Named: people and organisations"
    ORGANISATION = "organisation", "Organisations only"
    ANONYMOUS = "anonymous", "Anonymous: neither people nor organisations"


#: Statuses in which every side may read the record.
SHARED = (Status.PLANNED, Status.CIRCULATED, Status.CORRECTED, Status.AGREED, Status.CANCELLED)
#: Statuses of a conversation that took place.
HELD = (Status.DRAFT, Status.CIRCULATED, Status.CORRECTED, Status.AGREED)
#: Statuses in which sides are asked whether the record is right.
OPEN_FOR_CORRECTION = (Status.CIRCULATED, Status.CORRECTED)

#: Readers (docs/rights.md): the organisations that took part; of a draft, only the one that writes it.
ROUTES: tuple[Route, ...] = (
    Organisations("organisation"),
    Organisations("sides__organisation", when=Q(status__in=SHARED)),
)


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Conversations by who may see or write them, and by whether they took place."""

    def visible_to(self, user: User | AnonymousUser) -> ConversationQuerySet:
        """Those the person may read."""
        return self.filter(visible_to(Conversation, ROUTES, user))

    def editable_by(self, user: User | AnonymousUser) -> ConversationQuerySet:
        """Those whose record the person writes: editors and leads of the organisation that keeps it."""
        return self.filter(visible_to(Conversation, EDITORS, user))

    def held(self) -> ConversationQuerySet:
        """Those that took place."""
        return self.filter(status__in=HELD)

    def with_organisation(self, organisation: Organisation) -> ConversationQuerySet:
        """Those in which an organisation took part."""
        took_part = Side.objects.filter(organisation=organisation, conversation=models.OuterRef("pk"))
        return self.filter(models.Exists(took_part))

    def for_listing(self) -> ConversationQuerySet:
        """With what a list shows; order where shown."""
        sides = Side.objects.select_related("organisation").order_by("pk")
        return self.select_related("organisation", "partnership").prefetch_related(
            models.Prefetch("sides", queryset=sides)
        )


@pghistory.track()
class Conversation(models.Model):
    """The record of a conversation, kept by one organisation, agreed by all that took part.

    planned → draft (it took place; its keeper alone reads it) → circulated → corrected → agreed, and then locked, in
    the
    database too. A planned one may be cancelled. `revision` rises with each edit, so that nobody overwrites or agrees
    to
    what they have not seen. Private notes are rows of their own and never part of this one.
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
        # Administrators meet this wherever a record is named; its subject is the partners' own.
        return f"Conversation {self.pk}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("conversations:detail", args=[self.pk])

    @property
    def names_people(self) -> bool:
        """Whether readers of other sides see who it was."""
        return self.attribution == Attribution.NAMED

    @property
    def names_sides(self) -> bool:
        """Whether readers of other sides see which side it was."""
        return self.attribution != Attribution.ANONYMOUS

    @property
    def is_planned(self) -> bool:
        """Whether it has still to take place."""
        return self.status == Status.PLANNED

    @property
    def is_draft(self) -> bool:
        """Whether only the organisation that writes it may read it."""
        return self.status == Status.DRAFT

    @property
    def is_open_for_correction(self) -> bool:
        """Whether the sides are asked whether it is right."""
        return self.status in OPEN_FOR_CORRECTION

    @property
    def is_locked(self) -> bool:
        """Whether all sides agreed it, so that nothing changes any more."""
        return self.status == Status.AGREED

    @property
    def is_editable(self) -> bool:
        """Whether its keeper may change it."""
        return self.status not in (Status.AGREED, Status.CANCELLED)


@pghistory.track()
class Side(models.Model):
    """An organisation that took part, and whether it agrees with the record as it stands."""

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
    """Somebody who was there, for an organisation: a person of the directory, or a name that was typed in."""

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
        """What they are called. Needs `person` fetched."""
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
    """Points by who may read them and whether they still hold."""

    def visible_to(self, user: User | AnonymousUser) -> PointQuerySet:
        """Those of conversations the person may read."""
        return self.filter(conversation__in=Conversation.objects.visible_to(user))

    def current(self) -> PointQuerySet:
        """Those nobody has said to be over."""
        return self.filter(closed_at=None)


@pghistory.track()
class Point(models.Model):
    """An objective, obstacle or opportunity of one side, current until somebody of that side says that it is over.

    Its words are part of the record: once that is agreed, the database refuses to change or delete them.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="points")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="points")
    kind = models.CharField(max_length=11, choices=PointKind)
    text = models.CharField(max_length=500)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    closed_reason = models.CharField(max_length=300, blank=True)

    #: The ask or offer that it became, as far as the reader may see it: `queries.show_entries` sets it.
    entry_shown: Entry | None = None
    #: What the reader may do with it: `queries.let_act` sets both.
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
        """What it can become: an obstacle an ask, an opportunity an offer; empty for an objective."""
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
    """Private notes, which nobody reads but the organisation that wrote them."""

    def visible_to(self, user: User | AnonymousUser) -> PrivateNoteQuerySet:
        """Those of the person's own organisations."""
        return self.filter(visible_to(PrivateNote, (Organisations("organisation"),), user))


@pghistory.track(exclude=["text"])
class PrivateNote(models.Model):
    """What one organisation notes for itself about a conversation. Restricted: shown on the conversation's page to
    its own
    people and nowhere else. Row history keeps who wrote it and when, and leaves the text out, so that no administrator
    reads it there.
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
    """What somebody will do next; once the record is circulated, an action of the commitments room."""

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
    """What a side wants put right in a circulated record: open → taken up or not, with an answer."""

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
    """The people who may read a conversation."""
    return readers_of(Conversation, ROUTES, conversation)
