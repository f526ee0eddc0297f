"""Asks and offers: what a partner requests, what a partner will contribute, and the answers they get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import Partnership, PartyStatus
from partnerships.organisations.audience import Network, Organisations, Route, readers_of, visible_to
from partnerships.organisations.models import EDITING_ROLES, Area, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Direction(models.TextChoices):
    """An ask is what one partner requests; an offer is what one will contribute."""

    ASK = "ask", "Ask"
    OFFER = "offer", "Offer"


class Theme(models.TextChoices):
    """What it is about (DOMAIN.md)."""

    LAND = "land", "Land"
    PLANNING = "planning", "Planning"
    FUNDING = "funding", "Funding"
    NOMINATIONS = "nominations", "Nominations"
    HOMELESSNESS = "homelessness", "Homelessness"
    SUPPORTED_HOUSING = "supported_housing", "Supported housing"
    SKILLS_AND_JOBS = "skills_and_jobs", "Skills and jobs"
    DATA = "data", "Data"
    REGENERATION = "regeneration", "Regeneration"
    RETROFIT = "retrofit", "Retrofit"
    S106_PURCHASE = "s106_purchase", "Section 106 purchase"


class Unit(models.TextChoices):
    """What the quantity counts."""

    HOMES = "homes", "homes"
    HECTARES = "hectares", "hectares"
    POUNDS = "pounds", "£"
    POSTS = "posts", "full-time posts"
    PLACES = "places", "places"
    HOURS = "hours", "hours"


class Audience(models.TextChoices):
    """To whom it is addressed."""

    NAMED = "named", "Named partners"
    PARTNERSHIP = "partnership", "A partnership"
    NETWORK = "network", "The whole network"


class Status(models.TextChoices):
    """Where an entry is in its life; asks and offers each use their own part (`TRANSITIONS`)."""

    DRAFT = "draft", "Draft"
    SHARED = "shared", "Shared"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    ACCEPTED = "accepted", "Accepted"
    PART_ACCEPTED = "part_accepted", "Part-accepted"
    DECLINED = "declined", "Declined"
    TAKEN_UP = "taken_up", "Taken up"
    COMMITTED = "committed", "Committed"
    MET = "met", "Met"
    DELIVERED = "delivered", "Delivered"
    LAPSED = "lapsed", "Lapsed"
    WITHDRAWN = "withdrawn", "Withdrawn"


#: RIGHTS.md: what may follow each status, for asks and for offers.
TRANSITIONS: dict[str, dict[str, tuple[str, ...]]] = {
    Direction.ASK: {
        Status.DRAFT: (Status.SHARED, Status.WITHDRAWN),
        Status.SHARED: (
            Status.ACKNOWLEDGED,
            Status.ACCEPTED,
            Status.PART_ACCEPTED,
            Status.DECLINED,
            Status.LAPSED,
            Status.WITHDRAWN,
        ),
        Status.ACKNOWLEDGED: (
            Status.ACCEPTED,
            Status.PART_ACCEPTED,
            Status.DECLINED,
            Status.LAPSED,
            Status.WITHDRAWN,
        ),
        Status.PART_ACCEPTED: (
            Status.ACCEPTED,
            Status.COMMITTED,
            Status.MET,
            Status.LAPSED,
            Status.WITHDRAWN,
        ),
        Status.ACCEPTED: (Status.COMMITTED, Status.MET, Status.LAPSED, Status.WITHDRAWN),
        Status.COMMITTED: (Status.MET, Status.LAPSED, Status.WITHDRAWN),
    },
    Direction.OFFER: {
        Status.DRAFT: (Status.SHARED, Status.WITHDRAWN),
        Status.SHARED: (Status.TAKEN_UP, Status.LAPSED, Status.WITHDRAWN),
        Status.TAKEN_UP: (Status.COMMITTED, Status.DELIVERED, Status.LAPSED, Status.WITHDRAWN),
        Status.COMMITTED: (Status.DELIVERED, Status.LAPSED, Status.WITHDRAWN),
    },
}

#: Statuses in which an entry still asks for an answer.
UNANSWERED = (Status.SHARED, Status.ACKNOWLEDGED)
#: Statuses in which an entry is over.
OVER = (Status.DECLINED, Status.MET, Status.DELIVERED, Status.LAPSED, Status.WITHDRAWN)

_SHARED = ~Q(status=Status.DRAFT)
_OWN: Route = Organisations("organisation")
#: RIGHTS.md: an ask or offer is read by its organisation, and its audience: named organisations, partnership or network.
ROUTES: tuple[Route, ...] = (
    _OWN,
    Organisations("addressees__organisation", when=_SHARED & Q(audience=Audience.NAMED)),
    Organisations(
        "partnership__parties__organisation",
        when=_SHARED
        & Q(audience=Audience.PARTNERSHIP, partnership__parties__status=PartyStatus.ACCEPTED),
    ),
    Organisations(
        "partnership__parties__organisation",
        when=Q(
            audience=Audience.PARTNERSHIP,
            partnership__parties__status=PartyStatus.LEFT,
            shared_at__lte=F("partnership__parties__left_at"),
        ),
    ),
    Network(when=_SHARED & Q(audience=Audience.NETWORK)),
)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries by who may see, edit or answer them, and by where they stand."""

    def visible_to(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Those the person may read."""
        return self.filter(visible_to(Entry, ROUTES, user))

    def editable_by(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Those of organisations the person edits for."""
        return self.filter(
            visible_to(Entry, (Organisations("organisation", roles=EDITING_ROLES),), user)
        )

    def unanswered(self) -> EntryQuerySet:
        """Shared, and still waiting for an answer."""
        return self.filter(status__in=UNANSWERED)

    def live(self) -> EntryQuerySet:
        """Shared and not over."""
        return self.exclude(status__in=[Status.DRAFT, *OVER])

    def for_listing(self) -> EntryQuerySet:
        """With what a card shows."""
        return self.select_related("organisation", "partnership").prefetch_related("areas")


@pghistory.track()
class Entry(models.Model):
    """An ask or an offer.

    Ask: draft → shared → acknowledged → accepted, part-accepted or declined (reason) → committed → met; lapsed at its end;
    withdrawn (reason). Offer: draft → shared → taken up → committed → delivered; lapsed; withdrawn.
    """

    direction = models.CharField(max_length=5, choices=Direction)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="entries")
    title = models.CharField(max_length=200)
    statement = models.TextField(blank=True)
    rationale = models.TextField(blank=True)
    theme = models.CharField(max_length=20, choices=Theme)
    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    unit = models.CharField(max_length=10, choices=Unit, blank=True)
    areas = models.ManyToManyField(Area, blank=True, related_name="entries")
    available_from = models.DateField("needed or available from", null=True, blank=True)
    available_until = models.DateField("needed or available until", null=True, blank=True)
    conditions = models.TextField(blank=True)
    private_note = models.TextField(
        blank=True, help_text="Read by your own organisation only; never sent to anyone."
    )
    audience = models.CharField(max_length=12, choices=Audience)
    partnership = models.ForeignKey(
        Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="entries"
    )
    status = models.CharField(max_length=14, choices=Status, default=Status.DRAFT)
    reason = models.TextField(blank=True, help_text="Why it was declined or withdrawn.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    shared_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "ask or offer"
        verbose_name_plural = "asks and offers"
        constraints = [
            models.CheckConstraint(
                condition=Q(available_until=None)
                | Q(available_from=None)
                | Q(available_until__gte=F("available_from")),
                name="entry_until_after_from",
                violation_error_message="The end must not be before the start.",
            ),
            models.CheckConstraint(
                condition=~Q(audience=Audience.PARTNERSHIP) | Q(partnership__isnull=False),
                name="entry_partnership_named",
                violation_error_message="Choose the partnership it is for.",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gt=0),
                name="entry_quantity_positive",
                violation_error_message="The quantity must be more than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | ~Q(unit=""),
                name="entry_quantity_has_unit",
                violation_error_message="Say what the quantity counts.",
            ),
        ]
        indexes = [
            models.Index(fields=["direction", "-shared_at", "-id"], name="entry_board"),
            models.Index(fields=["organisation", "status"], name="entry_organisation"),
            models.Index(fields=["partnership", "status"], name="entry_partnership"),
            GinIndex(
                SearchVector("title", "statement", config="english"), name="entry_words"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_ask(self) -> bool:
        """Whether it is an ask; else it is an offer."""
        return self.direction == Direction.ASK

    @property
    def is_draft(self) -> bool:
        """Whether only its organisation can see it."""
        return self.status == Status.DRAFT

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.status in OVER

    @property
    def is_unanswered(self) -> bool:
        """Whether it is shared and waits for an answer."""
        return self.status in UNANSWERED


@pghistory.track()
class Addressee(models.Model):
    """An organisation that an entry is addressed to by name."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="addressees")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="addressed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "organisation"], name="one_addressee_row")
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} to {self.organisation_id}"


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
        return self.filter(
            visible_to(
                Response, (Organisations("organisation"), Organisations("entry__organisation")), user
            )
        )


@pghistory.track()
class Response(models.Model):
    """An organisation's answer to another's ask or offer: made → accepted, declined or withdrawn."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="responses")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="responses")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
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
                condition=Q(status="made"),
                name="one_open_response_an_organisation",
                violation_error_message="Your organisation has already answered; wait for its answer or withdraw.",
            )
        ]

    def __str__(self) -> str:
        return f"Response {self.pk}"


def entry_readers(entry: Entry) -> models.QuerySet[User]:
    """The people who may read an entry."""
    return readers_of(Entry, ROUTES, entry)
