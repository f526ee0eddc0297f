"""Shared plans: their owners and audience, the draft, the immutable numbered versions, and what versions project for reports."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.models import Partnership, PartyStatus
from partnerships.organisations.audience import (
    Network,
    Organisations,
    People,
    Route,
    readers_of,
    visible_to,
)
from partnerships.organisations.models import EDITING_ROLES, Area, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Kind(models.TextChoices):
    """What sort of plan it is (DOMAIN.md)."""

    HOUSING_STRATEGY = "housing_strategy", "Housing strategy"
    LOCAL_PLAN = "local_plan", "Local plan"
    DELIVERY = "delivery", "Delivery programme"
    REGENERATION = "regeneration", "Regeneration"
    HOMELESSNESS = "homelessness", "Homelessness"
    PLACE = "place", "Place business plan"
    ALLOCATIONS = "allocations", "Allocations"


class Status(models.TextChoices):
    """Where a plan is in its life; `TRANSITIONS` says what may follow."""

    DRAFT = "draft", "Draft"
    SHARED = "shared", "Shared for comment"
    AWAITING_SIGN_OFF = "awaiting_sign_off", "Awaiting sign-off"
    AGREED = "agreed", "Agreed"
    MONITORING = "monitoring", "Monitoring"
    SUPERSEDED = "superseded", "Superseded"
    CLOSED = "closed", "Closed"


#: RIGHTS.md: what may follow each status. Publishing makes draft → shared, and takes agreed or monitoring back when not minor.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    Status.DRAFT: (Status.SHARED, Status.CLOSED),
    Status.SHARED: (Status.AWAITING_SIGN_OFF, Status.SUPERSEDED, Status.CLOSED),
    Status.AWAITING_SIGN_OFF: (Status.AGREED, Status.SHARED, Status.SUPERSEDED, Status.CLOSED),
    Status.AGREED: (
        Status.MONITORING,
        Status.AWAITING_SIGN_OFF,
        Status.SUPERSEDED,
        Status.CLOSED,
    ),
    Status.MONITORING: (Status.AWAITING_SIGN_OFF, Status.SUPERSEDED, Status.CLOSED),
    Status.SUPERSEDED: (),
    Status.CLOSED: (),
}

#: Statuses in which nothing can be published any more.
OVER = (Status.SUPERSEDED, Status.CLOSED)


class Audience(models.TextChoices):
    """Who may read the published versions."""

    OWNERS = "owners", "Its owners only"
    PARTNERSHIP = "partnership", "The partnership"
    NETWORK = "network", "Everyone signed in"
    PUBLIC = "public", "The public"


class ReadingClass(models.TextChoices):
    """What a reader may see inside a plan (RIGHTS.md)."""

    INSIDE = "inside", "Owner organisations and parties: everything"
    OUTSIDE = "outside", "Everyone else: no confidential site, no restricted text"


_PUBLISHED = Q(current_number__gt=0)
_OWNERS: Route = Organisations("owners__organisation", when=_PUBLISHED)
_PARTIES: Route = Organisations(
    "partnership__parties__organisation",
    when=_PUBLISHED
    & Q(
        audience__in=[Audience.PARTNERSHIP, Audience.NETWORK, Audience.PUBLIC],
        partnership__parties__status=PartyStatus.ACCEPTED,
    ),
)
_FORMER: Route = Organisations(
    "partnership__parties__organisation",
    when=_PUBLISHED
    & Q(
        audience__in=[Audience.PARTNERSHIP, Audience.NETWORK, Audience.PUBLIC],
        partnership__parties__status=PartyStatus.LEFT,
        first_published_at__lte=F("partnership__parties__left_at"),
    ),
)
_DRAFTERS: Route = Organisations("owners__organisation", roles=EDITING_ROLES)

#: Readers of class *inside*: people of the owner organisations and of present parties.
INSIDE: tuple[Route, ...] = (_OWNERS, _PARTIES)
#: Readers of the published plan, whatever their class.
PUBLISHED: tuple[Route, ...] = (
    *INSIDE,
    _FORMER,
    Network(when=_PUBLISHED & Q(audience__in=[Audience.NETWORK, Audience.PUBLIC])),
)


def draft_routes(now: dt.datetime) -> tuple[Route, ...]:
    """Readers of the draft: editors and leads of its owners, and people it is shared with by name, until the end date."""
    return (
        _DRAFTERS,
        People(
            "shares__person",
            when=Q(shares__revoked_at=None)
            & (Q(shares__ends_on=None) | Q(shares__ends_on__gte=timezone.localdate(now))),
        ),
    )


class PlanQuerySet(models.QuerySet["Plan"]):
    """Plans by who may see, draft or publish them, and by where they stand."""

    def visible_to(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Those of which the person may read anything: a published version or the draft."""
        return self.filter(visible_to(Plan, (*PUBLISHED, *draft_routes(timezone.now())), user))

    def published_for(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Those of which the person may read a published version."""
        return self.filter(visible_to(Plan, PUBLISHED, user))

    def inside_for(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Those whose whole content the person may read."""
        return self.filter(visible_to(Plan, INSIDE, user))

    def draft_visible_to(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Those whose draft the person may read."""
        return self.filter(visible_to(Plan, draft_routes(timezone.now()), user))

    def editable_by(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Those whose draft the person may change: editors and leads of an owner."""
        return self.filter(visible_to(Plan, (_DRAFTERS,), user))

    def publishable_by(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Those the person may publish: leads of an owner organisation."""
        return self.filter(
            visible_to(Plan, (Organisations("owners__organisation", roles=("lead",)),), user)
        )

    def public(self) -> PlanQuerySet:
        """Those that anyone may read without signing in."""
        return self.filter(_PUBLISHED, audience=Audience.PUBLIC)

    def awaiting_sign_off(self) -> PlanQuerySet:
        """Those that wait for signatures."""
        return self.filter(status=Status.AWAITING_SIGN_OFF)

    def for_listing(self) -> PlanQuerySet:
        """With what a list shows; order where shown."""
        return self.select_related("partnership").prefetch_related(
            models.Prefetch("owners", queryset=PlanOwner.objects.select_related("organisation"))
        )


@pghistory.track()
class Plan(models.Model):
    """A plan several organisations share: what will be built, where, by when.

    draft → shared for comment (first publication) → awaiting sign-off (signatories chosen) → agreed (all approved) →
    monitoring → superseded or closed. A later version that is not minor takes agreed or monitoring back to awaiting sign-off.
    `current_number` is the number of the newest published version, 0 before the first.
    """

    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    audience = models.CharField(max_length=12, choices=Audience, default=Audience.PARTNERSHIP)
    partnership = models.ForeignKey(
        Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="plans"
    )
    period_start = models.PositiveSmallIntegerField("first year", null=True, blank=True)
    period_end = models.PositiveSmallIntegerField("last year", null=True, blank=True)
    current_number = models.PositiveIntegerField(default=0)
    baseline_number = models.PositiveIntegerField(
        null=True, blank=True, help_text="The version that later ones are held against."
    )
    first_published_at = models.DateTimeField(null=True, blank=True)
    last_published_at = models.DateTimeField(null=True, blank=True)
    external_reference = models.CharField(
        max_length=200,
        blank=True,
        help_text="Its key in the published register it was imported from.",
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    organisations = models.ManyToManyField(Organisation, through="PlanOwner", related_name="plans")

    objects = PlanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period_start=None)
                | Q(period_end=None)
                | Q(period_end__gte=F("period_start")),
                name="plan_period_in_order",
                violation_error_message="The last year must not be before the first.",
            ),
            models.CheckConstraint(
                condition=~Q(audience="partnership") | Q(partnership__isnull=False),
                name="plan_partnership_named",
                violation_error_message="Choose the partnership it belongs to, or another audience.",
            ),
            models.UniqueConstraint(
                fields=["external_reference"],
                condition=~Q(external_reference=""),
                name="one_plan_a_reference",
            ),
        ]
        indexes = [
            models.Index(fields=["-last_published_at", "-id"], name="plan_listing"),
            models.Index(fields=["partnership", "status"], name="plan_partnership"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_published(self) -> bool:
        """Whether there is a version to read."""
        return self.current_number > 0

    @property
    def is_over(self) -> bool:
        """Whether nothing can be published any more."""
        return self.status in OVER

    @property
    def is_draft(self) -> bool:
        """Whether it has never been published."""
        return self.current_number == 0

    @property
    def next_statuses(self) -> tuple[Status, ...]:
        """What may follow the present status."""
        return tuple(Status(status) for status in TRANSITIONS[self.status])


@pghistory.track()
class PlanOwner(models.Model):
    """An organisation that owns a plan; any one owner's lead may publish."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="owners")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="plan_owners")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "organisation"], name="one_owner_row")
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} owns {self.plan_id}"


class VersionQuerySet(models.QuerySet["Version"]):
    """Versions by who may read them."""

    def visible_to(self, user: User | AnonymousUser) -> VersionQuerySet:
        """Published versions the person may read: of readable plans; a former party only those up to the day it left;
        under embargo only owners."""
        owned = Plan.objects.filter(visible_to(Plan, (_OWNERS,), user)).values("pk")
        present = Plan.objects.filter(
            visible_to(
                Plan,
                (
                    *INSIDE,
                    Network(when=_PUBLISHED & Q(audience__in=[Audience.NETWORK, Audience.PUBLIC])),
                ),
                user,
            )
        ).values("pk")
        free = Q(embargo_until=None) | Q(embargo_until__lte=timezone.now())
        held = self.model._default_manager.filter(
            plan__partnership__parties__organisation__in=Organisation.objects.of_person(user),
            plan__partnership__parties__status=PartyStatus.LEFT,
            published_at__lte=F("plan__partnership__parties__left_at"),
        ).exclude(plan__audience=Audience.OWNERS)
        if not user.is_authenticated:
            return self.filter(free, plan__in=Plan.objects.public().values("pk"))
        return self.filter(
            Q(plan__in=owned) | (free & (Q(plan__in=present) | Q(pk__in=held.values("pk"))))
        )


class Version(models.Model):
    """One whole plan as it was published: numbered, with a note, never altered or deleted (a database trigger sees to it).

    `content` is described by the pure module `content`.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    content = models.JSONField()
    note = models.TextField()
    minor = models.BooleanField(default=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()
    embargo_until = models.DateTimeField(null=True, blank=True)
    source = models.CharField(
        max_length=300, blank=True, help_text="The published file it was imported from."
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="one_version_a_number"),
            models.CheckConstraint(condition=Q(number__gt=0), name="version_number_positive"),
        ]
        indexes = [models.Index(fields=["-published_at", "-id"], name="version_published")]
        triggers = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


@pghistory.track(exclude=["content"])
class Draft(models.Model):
    """The version not yet published, saved piece by piece.

    `content` is the whole of it. `pieces` maps a piece's key to {"revision", "by" (person id), "at" (ISO 8601)}, so that a save
    based on an older revision of the same piece is a conflict, and different pieces merge. `based_on` is the version it began from.
    """

    plan = models.OneToOneField(Plan, on_delete=models.CASCADE, related_name="draft")
    based_on = models.PositiveIntegerField(default=0)
    content = models.JSONField()
    pieces = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    updated_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Draft of {self.plan_id}"


@pghistory.track()
class Share(models.Model):
    """A draft shown early to one named person of another organisation, to read or to comment, until the end of a day."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="shares")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="plan_shares")
    may_comment = models.BooleanField(default=False)
    message = models.TextField(blank=True)
    ends_on = models.DateField(null=True, blank=True, help_text="The last day of it.")
    shared_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    shared_at = models.DateTimeField()
    invited_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "person"], name="one_share_a_person")
        ]

    def __str__(self) -> str:
        return f"Draft of {self.plan_id} shared with {self.person_id}"


class Milestone(models.Model):
    """A milestone of a plan's newest version, projected for lists and reports; written by publishing alone."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="milestones")
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=300)
    status = models.CharField(max_length=20)
    baseline = models.CharField(max_length=10, blank=True, help_text="As precise as it came: 2017, 2017-04 or 2017-04-11.")
    forecast = models.CharField(max_length=10, blank=True)
    actual = models.CharField(max_length=10, blank=True)
    due_from = models.DateField(null=True, blank=True, help_text="The first day the forecast could be.")
    due_by = models.DateField(null=True, blank=True, help_text="The last day the forecast could be.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="one_milestone_a_key")]
        indexes = [models.Index(fields=["due_by", "plan"], name="milestone_due")]

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A site of a plan's newest version, projected for lists and reports; written by publishing alone."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="sites")
    key = models.CharField(max_length=80)
    reference = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=300)
    area = models.ForeignKey(Area, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    confidential = models.BooleanField(default=False)
    homes = models.PositiveIntegerField(default=0)
    planning_status = models.CharField(max_length=40, blank=True)
    confidence = models.CharField(max_length=20, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="one_site_a_key")]

    def __str__(self) -> str:
        return self.name


class Homes(models.Model):
    """Homes of one sort on a site, projected for reports; written by publishing alone."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="homes_lines")
    tenure = models.CharField(max_length=40)
    bedrooms = models.CharField(max_length=10, blank=True)
    needs = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "homes"
        indexes = [models.Index(fields=["tenure", "year"], name="homes_tenure_year")]

    def __str__(self) -> str:
        return f"{self.count} {self.tenure}"


def plan_readers(plan: Plan) -> models.QuerySet[User]:
    """The people who may read the published plan by an account; subscribers by signed link are the digests room's."""
    return readers_of(Plan, PUBLISHED, plan)
