"""Partnerships, who may read them and in what state."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone

from partnerships.agreements.models.choices import (
    CONTACT_DAYS,
    LEADING_ROLES,
    NOTICE_DAYS,
    OVER,
    TRANSITIONS,
    Audience,
    PartyStatus,
    Status,
)
from partnerships.agreements.models.clock import Gap, is_over_on, status_on
from partnerships.agreements.models.kinds import PartnershipKind
from partnerships.kit.addresses import page_address
from partnerships.kit.vocabularies import VocabularyKey
from partnerships.organisations.audience import Network, Organisations, readers_of, visible_to
from partnerships.organisations.models import EDITING_ROLES, Area
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


#: Routes to those who may read all of a partnership: people of its parties, and of invited organisations, who must
#: know what they accept.
INSIDE = (
    Organisations(
        "parties__organisation",
        when=Q(parties__status__in=[PartyStatus.ACCEPTED, PartyStatus.INVITED]),
    ),
)
#: Routes to people of former parties, who read what it held up to the day they left.
FORMER = (Organisations("parties__organisation", when=Q(parties__status=PartyStatus.LEFT)),)
#: Routes to those who may change its status and settings.
LEADING = (
    Organisations(
        "parties__organisation",
        when=Q(parties__status=PartyStatus.ACCEPTED, parties__role__in=LEADING_ROLES),
        roles=("lead",),
    ),
)
#: Routes to those who may read its outline.
OUTLINE = (
    Network(when=Q(audience=Audience.NETWORK)),
    # Of a working group: people of the parties of the partnership that it belongs to.
    Organisations(
        "as_group__parent__parties__organisation",
        when=Q(as_group__parent__parties__status=PartyStatus.ACCEPTED),
    ),
)
#: Routes to everybody who may see at least its outline.
OUTLINED = (*INSIDE, *FORMER, *OUTLINE)


class PartnershipQuerySet(models.QuerySet["Partnership"]):
    """Filters by reader, by who may act, and by status."""

    def visible_to(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Partnerships that the person may see, at least in outline."""
        return self.filter(visible_to(Partnership, OUTLINED, user))

    def known_today_to(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Partnerships that the person may see today, in full or in outline.

        Partnerships that only a former party reads are left out.
        """
        return self.filter(visible_to(Partnership, (*INSIDE, *OUTLINE), user))

    def inside_for(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Partnerships that the person may read in full today.

        People of present and invited parties may.
        """
        return self.filter(visible_to(Partnership, INSIDE, user))

    def held_by(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Partnerships that the person may read in full, today or up to the day they left."""
        return self.filter(visible_to(Partnership, (*INSIDE, *FORMER), user))

    def present_for(self, user: User | AnonymousUser, *roles: str) -> PartnershipQuerySet:
        """Partnerships with a present party for which the person has one of the roles."""
        route = Organisations("parties__organisation", when=Q(parties__status=PartyStatus.ACCEPTED), roles=roles)
        return self.filter(visible_to(Partnership, (route,), user))

    def drafted_for(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Partnerships whose drafts of the terms the person may read.

        Editors and leads of present and invited parties may.
        """
        parties = Q(parties__status__in=[PartyStatus.ACCEPTED, PartyStatus.INVITED])
        route = Organisations("parties__organisation", when=parties, roles=EDITING_ROLES)
        return self.filter(visible_to(Partnership, (route,), user))

    def led_by(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Partnerships whose terms and status the person may change.

        Leads of the chair or of a lead organisation may.
        """
        return self.filter(visible_to(Partnership, LEADING, user))

    def live(self) -> PartnershipQuerySet:
        """Partnerships that are not over today."""
        return self.exclude(is_over_on(timezone.localdate()))

    def for_listing(self) -> PartnershipQuerySet:
        """Fetch the names of the parties; the caller orders.

        A page shows some hundred parties, so only the columns that a list needs are read.
        """
        parties = self.model._meta.get_field("parties").related_model._default_manager
        names = parties.select_related("organisation").only(
            "partnership", "role", "status", "organisation__name", "organisation__short_name"
        )
        return self.prefetch_related(models.Prefetch("parties", queryset=names.order_by("role", "pk")))


#: Row history label of the state that a former party still reads: see `past`.
LEFT_BEHIND = "left_behind"


@pghistory.track(
    pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), pghistory.ManualEvent(LEFT_BEHIND)
)
class Partnership(models.Model):
    """Organisations that work together on stated terms.

    exploring → drafting → awaiting sign-off → agreed, if it starts later → active → under review → active again,
    renewed or ended; active ⇄ suspended; ended from any state. Every step has a reason. Renewed and ended ones are
    read-only; the successor points to the renewed one. Start, review and end also come by the clock: read `state`, not
    `status`, which a job brings up to date.
    """

    #: The day for which `state` answers, if not today: for readers who see it as it was.
    read_on: dt.date | None = None
    #: Days without cover before or after it, where a list looked them up.
    gap: Gap | None = None
    #: Set by the list of partnerships: whether its reader reads it in full, and whether only as a former party.
    is_inside = False
    is_former = False

    title = models.CharField(max_length=200)
    kind = VocabularyKey(PartnershipKind, on_delete=models.PROTECT, to_field="code", db_column="kind", related_name="+")
    status = models.CharField(max_length=20, choices=Status, default=Status.EXPLORING)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.PARTIES)
    purpose = models.TextField(blank=True)
    legally_binding = models.BooleanField(default=False)
    terms_of_reference = models.TextField(blank=True)
    starts_on = models.DateField(null=True, blank=True)
    review_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True, help_text="The last day in force.")
    goes_on = models.BooleanField(
        "continues until ended",
        default=False,
        help_text="The partnership continues after its end date until a party ends it.",
    )
    notice_ends_on = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="The last day, if a notice ends the partnership.",
    )
    notice_days = models.PositiveSmallIntegerField(
        "days of notice",
        null=True,
        blank=True,
        help_text="How many days’ notice a party must give before it leaves or ends the partnership.",
    )
    quorum = models.PositiveSmallIntegerField(null=True, blank=True)
    meeting_frequency = models.CharField(max_length=80, blank=True)
    contact_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="How many days without a conversation mean that it has gone quiet. Leave empty for the site’s "
        "default.",
    )
    reports_to = models.CharField(max_length=200, blank=True)
    contribution = models.TextField("contribution in money and kind", blank=True)
    annual_budget = models.DecimalField("annual budget (£)", max_digits=14, decimal_places=2, null=True, blank=True)
    liabilities = models.TextField(blank=True)
    areas = models.ManyToManyField(Area, blank=True, related_name="partnerships")
    redefines = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="redefined_by")
    terms_version = models.ForeignKey(
        "TermsVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The version of the terms from which these fields were copied.",
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    status_since = models.DateTimeField()

    objects = PartnershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(starts_on=None) | Q(ends_on__gte=F("starts_on")),
                name="partnership_ends_after_it_starts",
                violation_error_message="The end must not be before the start.",
            ),
            models.CheckConstraint(
                condition=Q(review_on=None) | Q(starts_on=None) | Q(review_on__gte=F("starts_on")),
                name="partnership_review_after_start",
                violation_error_message="The review date must not be before the start.",
            ),
            models.CheckConstraint(
                condition=Q(contact_days=None) | Q(contact_days__range=(CONTACT_DAYS[0], CONTACT_DAYS[-1])),
                name="partnership_contact_days",
            ),
            models.CheckConstraint(
                condition=Q(notice_days=None) | Q(notice_days__range=(NOTICE_DAYS[0], NOTICE_DAYS[-1])),
                name="partnership_notice_days",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "title", "id"], name="partnership_listing"),
            models.Index(fields=["title", "id"], name="partnership_title"),
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="partnership_title_words"),
            GinIndex(OpClass(Upper("purpose"), name="gin_trgm_ops"), name="partnership_purpose_words"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return page_address("agreements:detail", self.pk)

    def state_on(self, day: dt.date) -> Status:
        """Its status on a day, from what is stored now."""
        return status_on(day, self)

    @property
    def state(self) -> Status:
        """Its status today, whether or not a job has recorded it yet."""
        return status_on(self.read_on or timezone.localdate(), self)

    @property
    def state_label(self) -> str:
        """Its status today in words."""
        return str(self.state.label)

    @property
    def state_since(self) -> dt.datetime | None:
        """Since when, if the status is recorded already."""
        return self.status_since if self.state == self.status else None

    @property
    def is_over(self) -> bool:
        """Whether it is read-only."""
        return self.state in OVER

    def is_over_on(self, day: dt.date) -> bool:
        """Whether it is read-only on a day: for services, which get the clock."""
        return self.state_on(day) in OVER

    @property
    def quiet_after(self) -> int:
        """Days without a conversation after which it has gone quiet.

        As its leads chose, or the site's default.
        """
        return self.contact_days or settings.NO_CONTACT_DAYS

    @property
    def next_statuses(self) -> tuple[Status, ...]:
        """Statuses allowed next."""
        return TRANSITIONS[self.state]


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent(), obj_field=None)
class PartnershipArea(Partnership.areas.through):  # type: ignore[name-defined,misc]  # made by Django
    """Link to an area; a proxy model, so that row history covers it."""

    class Meta:
        proxy = True


def partnership_readers(partnership: Partnership) -> models.QuerySet[User]:
    """People who may read all of a partnership today."""
    return readers_of(Partnership, INSIDE, partnership)
