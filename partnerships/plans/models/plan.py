"""Plans, their owners, and the querysets that say who may read and change a plan."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.kit.addresses import page_address
from partnerships.kit.vocabularies import VocabularyField
from partnerships.organisations.audience import readers_of, visible_to
from partnerships.organisations.holdings import CheckedForEachRow
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.content import YEAR_KINDS
from partnerships.plans.models.routes import (
    DRAFTERS,
    LEADS,
    OWNERS,
    draft_routes,
    former_routes,
    inside_routes,
    insider_routes,
    is_open,
    present_routes,
    published_routes,
)
from partnerships.plans.models.states import FINAL_STATUSES, TRANSITIONS, Audience, Status

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class PlanQuerySet(models.QuerySet["Plan"]):
    """Filters for plans by status and by who may read, edit or publish them."""

    def visible_to(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans that the person may read, as a published version or a draft."""
        now = timezone.now()
        if not user.is_authenticated:
            return self.public()
        return self.filter(visible_to(Plan, (*published_routes(now), *draft_routes(now)), user))

    def published_for(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans with a published version that the person may read."""
        if not user.is_authenticated:
            return self.public()
        return self.filter(visible_to(Plan, published_routes(timezone.now()), user))

    def published_today_for(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return published plans that the person may go on reading when a new version is published.

        Plans that the person's organisation has left are left out.
        """
        return self.filter(visible_to(Plan, present_routes(timezone.now()), user))

    def visible_today_to(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans that the person may read as they are today, as a published version or a draft.

        Plans that the person's organisation has left are left out, because the person sees them only as they were.
        """
        now = timezone.now()
        return self.filter(visible_to(Plan, (*present_routes(now), *draft_routes(now)), user))

    def formerly_shared_with(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans that the person's organisation left, and plans that left its partnership.

        Visitors without an account get public plans.
        """
        if not user.is_authenticated:
            return self.public()
        return self.filter(visible_to(Plan, former_routes(timezone.now()), user))

    def with_insider(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans in which the person acts for an owner or a present party."""
        return self.filter(visible_to(Plan, insider_routes(), user))

    def owned_by(self, organisation: Organisation | int) -> PlanQuerySet:
        """Return plans that the organisation owns today."""
        return self.filter(pk__in=PlanOwner.objects.filter(organisation=organisation).values("plan"))

    def fully_readable_by(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return published plans that the person reads inside, with confidential sites and restricted text."""
        return self.filter(visible_to(Plan, inside_routes(timezone.now()), user))

    def owned_by_organisations_of(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return published plans that the person's own organisations own."""
        return self.filter(visible_to(Plan, (OWNERS,), user))

    def draft_visible_to(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans with a draft that the person may read."""
        return self.filter(visible_to(Plan, draft_routes(timezone.now()), user))

    def editable_by(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans with a draft that the person may change, as an editor or lead of an owner."""
        return self.filter(visible_to(Plan, (DRAFTERS,), user))

    def publishable_by(self, user: User | AnonymousUser) -> PlanQuerySet:
        """Return plans that the person may publish, as a lead of an owner."""
        return self.filter(visible_to(Plan, (LEADS,), user))

    def contains_outer_plan(self, *, one_by_one: bool = False) -> models.Exists:
        """Return the condition that the `plan` of a record is one of these plans.

        With `plan__in`, PostgreSQL would list all plans first. With this condition, it can look up the plan of one
        record at a time. It may still list all plans if it expects many records. `one_by_one` prevents this, for
        queries that need only the first rows.
        """
        condition = CheckedForEachRow if one_by_one else models.Exists
        return condition(self.filter(pk=models.OuterRef("plan")))

    def public(self) -> PlanQuerySet:
        """Return plans that anyone may read without signing in."""
        return self.filter(is_open(timezone.now()), audience=Audience.PUBLIC)

    def awaiting_sign_off(self) -> PlanQuerySet:
        """Return plans that are waiting for signatures."""
        return self.filter(status=Status.AWAITING_SIGN_OFF)

    def for_listing(self) -> PlanQuerySet:
        """Return plans with the related rows that lists show. The lists themselves sort the plans."""
        return self.select_related("partnership").prefetch_related(
            models.Prefetch("owners", queryset=PlanOwner.objects.select_related("organisation").order_by("pk"))
        )


@pghistory.track()
class Plan(models.Model):
    """A plan that organisations make together, which says what will be built, where and when.

    draft → shared for comment (first publication) → awaiting sign-off (signatories chosen) → agreed (all approved) →
    monitoring → superseded or closed. A later version that is not minor takes agreed or monitoring back to awaiting
    sign-off.
    """

    title = models.CharField(max_length=200)
    kind = VocabularyField(vocabulary="plans.PlanKind", max_length=20)
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    audience = models.CharField(max_length=12, choices=Audience, default=Audience.PARTNERSHIP)
    # `db_index` is off because two of the indexes below begin with this column.
    partnership = models.ForeignKey(
        Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="plans", db_index=False
    )
    period_start = models.PositiveSmallIntegerField("first year", null=True, blank=True)
    period_end = models.PositiveSmallIntegerField("last year", null=True, blank=True)
    years = models.CharField(
        "kind of years",
        max_length=10,
        choices=list(YEAR_KINDS.items()),
        blank=True,
        help_text="The kind of years in which the plan counts homes. Empty until a home has a year, or if older homes "
        "have both kinds.",
    )

    # The numbers of versions that matter.
    #: The number of the newest published version, or 0 before the first.
    current_number = models.PositiveIntegerField(default=0)
    open_number = models.PositiveIntegerField(
        default=0, help_text="The newest version without an embargo, or whose embargo has ended."
    )
    #: The newest version that is not minor. Only signatures on this version or later versions count.
    substantive_number = models.PositiveIntegerField(default=0)
    baseline_number = models.PositiveIntegerField(
        null=True, blank=True, help_text="The version with which later versions are compared."
    )

    # When people may read the versions.
    #: When the audience may first read a version.
    open_at = models.DateTimeField(null=True, blank=True)
    embargoed_until = models.DateTimeField(
        null=True, blank=True, help_text="Only owners may read the newest version until then."
    )
    first_published_at = models.DateTimeField(null=True, blank=True)
    last_published_at = models.DateTimeField(null=True, blank=True)

    # Where the plan came from, and what replaced it.
    external_reference = models.CharField(
        max_length=200, blank=True, help_text="The plan’s key in the published register from which it was imported."
    )
    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="supersedes"
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = PlanQuerySet.as_manager()

    #: Not stored. `queries.plans_as_read_by` sets this to the owners at the time when the reader's organisation left.
    #: It is None if the reader sees the plan as it is today.
    owners_at_departure: list[PlanOwner] | None = None

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(period_start=None) | Q(period_end=None) | Q(period_end__gte=F("period_start")),
                name="plan_period_in_order",
                violation_error_message="The last year must not be before the first.",
            ),
            models.CheckConstraint(
                condition=~Q(audience="partnership") | Q(partnership__isnull=False),
                name="partnership_plan_has_partnership",
                violation_error_message="Choose the partnership that the plan belongs to, or another audience.",
            ),
            models.CheckConstraint(
                condition=Q(current_number=0) | Q(open_at__isnull=False), name="published_plan_has_open_at"
            ),
            models.CheckConstraint(
                condition=Q(substantive_number__lte=F("current_number")), name="plan_substantive_number_published"
            ),
            models.CheckConstraint(
                condition=Q(open_number__lte=F("current_number")), name="plan_open_number_published"
            ),
            models.CheckConstraint(
                condition=Q(baseline_number=None) | Q(baseline_number__lte=F("current_number")),
                name="plan_baseline_number_published",
            ),
            models.UniqueConstraint(
                fields=["external_reference"],
                condition=~Q(external_reference=""),
                name="unique_plan_external_reference",
            ),
        ]
        indexes = [
            models.Index(fields=["-last_published_at", "-id"], name="plan_listing"),
            models.Index(fields=["partnership", "status"], name="plan_partnership_status"),
            models.Index(fields=["partnership", "id"], name="plan_partnership_id"),
            models.Index(fields=["title", "id"], name="plan_title"),
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="plan_title_words"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the page of the plan."""
        return page_address("plans:detail", self.pk)

    @property
    def is_published(self) -> bool:
        """Return whether the plan has a published version."""
        return self.current_number > 0

    @property
    def is_over(self) -> bool:
        """Return whether the plan is superseded or closed, so that nothing more can be published."""
        return self.status in FINAL_STATUSES

    @property
    def is_draft(self) -> bool:
        """Return whether no version of the plan has been published yet."""
        return self.current_number == 0

    @property
    def is_awaiting_sign_off(self) -> bool:
        """Return whether the plan is waiting for signatures."""
        return self.status == Status.AWAITING_SIGN_OFF

    @property
    def is_embargoed(self) -> bool:
        """Return whether only owners may read the newest version for now."""
        return self.embargoed_until is not None and self.embargoed_until > timezone.now()

    @property
    def announced_number(self) -> int:
        """Return the version number that lists show, which leaves out versions under embargo."""
        return self.open_number if self.is_embargoed else self.current_number

    @property
    def next_statuses(self) -> tuple[Status, ...]:
        """Return the statuses that may follow the present status."""
        return tuple(Status(status) for status in TRANSITIONS[self.status])

    @property
    def period(self) -> str:
        """Return the years of the plan, for example "2026 to 2031", or "" if none are given."""
        if self.period_start and self.period_end:
            return f"{self.period_start} to {self.period_end}"
        return str(self.period_start or self.period_end or "")


class OwnershipEndReason(models.TextChoices):
    """Why an organisation stopped owning a plan."""

    LEFT = "left", "The owner left the partnership, was removed from it or became an observer"
    HANDED_OVER = "handed_over", "The owner handed the plan over to another organisation"
    GIVEN_UP = "given_up", "The owner gave up its ownership"


class CurrentOwnerManager(models.Manager["PlanOwner"]):
    """The present owners, which `plan.owners` returns.

    Lookups across tables, for example `owners__organisation`, do not use this manager. Such a lookup must also contain
    `owners__ended_at=None`, or it finds former owners too. `ended_at` is never in the future.
    """

    def get_queryset(self) -> models.QuerySet[PlanOwner]:
        """Return the ownerships that have not ended."""
        return super().get_queryset().filter(ended_at=None)


@pghistory.track()
class PlanOwner(models.Model):
    """An organisation's ownership of a plan. A lead of any owner may publish the plan.

    owns → ended, because the owner left the partnership, handed the plan over or gave it up. The row remains, because a
    former owner can read what was published up to `ended_at`.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="owners")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="plan_owners")
    began_at = models.DateTimeField(null=True, blank=True, help_text="Empty for an owner since the plan was created.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=11, choices=OwnershipEndReason, blank=True)

    objects = CurrentOwnerManager()
    ever = models.Manager["PlanOwner"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "organisation"], condition=Q(ended_at=None), name="unique_current_owner_per_plan"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="owner_does_not_end_before_start"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "plan"], condition=Q(ended_at=None), name="plan_owner_current")]

    def __str__(self) -> str:
        return f"{self.organisation_id} owns {self.plan_id}"


def plan_readers(plan: Plan, now: dt.datetime | None = None) -> models.QuerySet[User]:
    """Return the people with an account who may read the published plan.

    Stakeholders, who have no account, are left out. The room of digests finds them.
    """
    return readers_of(Plan, published_routes(now or timezone.now()), plan)
