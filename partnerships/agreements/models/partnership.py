"""The model of a partnership, with its status and its readers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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
    FINAL_STATUSES,
    LEADING_ROLES,
    NOTICE_DAYS,
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


#: Routes to people who may read all of a partnership. People of invited organisations may, because they must know what
#: they would accept.
FULL_READERS = (
    Organisations(
        "parties__organisation",
        when=Q(parties__status__in=[PartyStatus.ACCEPTED, PartyStatus.INVITED]),
    ),
)
#: Routes to people of former parties. They read the partnership as it was on the day their organisation left.
FORMER_READERS = (Organisations("parties__organisation", when=Q(parties__status=PartyStatus.LEFT)),)
#: Routes to people who may change the status and settings of a partnership.
MANAGERS = (
    Organisations(
        "parties__organisation",
        when=Q(parties__status=PartyStatus.ACCEPTED, parties__role__in=LEADING_ROLES),
        roles=("lead",),
    ),
)
#: Routes to people who may read the outline of a partnership.
OUTLINE_READERS = (
    Network(when=Q(audience=Audience.NETWORK)),
    # People of the parties of a partnership may read the outlines of its working groups.
    Organisations(
        "as_group__parent__parties__organisation",
        when=Q(as_group__parent__parties__status=PartyStatus.ACCEPTED),
    ),
)
#: Routes to people who may read a partnership in full or in outline.
ALL_READERS = (*FULL_READERS, *FORMER_READERS, *OUTLINE_READERS)


class PartnershipQuerySet(models.QuerySet["Partnership"]):
    """Filters by reader, by who may act, and by status.

    Three filters decide what a person may read, from the widest to the narrowest. `visible_to` finds all partnerships
    that the person may see, even those with only an outline. `readable_by` finds those that the person may read in
    full, today or as they were when a party left. `readable_today_by` finds those that the person may read in full
    today.
    """

    def visible_to(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Return partnerships that the person may see, at least in outline."""
        return self.filter(visible_to(Partnership, ALL_READERS, user))

    def visible_today_to(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Return partnerships that the person may see today, in full or in outline.

        Partnerships that the person reads only for a former party are left out.
        """
        return self.filter(visible_to(Partnership, (*FULL_READERS, *OUTLINE_READERS), user))

    def readable_today_by(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Return partnerships that the person may read in full today, for a present or invited party."""
        return self.filter(visible_to(Partnership, FULL_READERS, user))

    def readable_by(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Return partnerships that the person may read in full, as they are today or were when a party left."""
        return self.filter(visible_to(Partnership, (*FULL_READERS, *FORMER_READERS), user))

    def with_party_of(self, user: User | AnonymousUser, *roles: str) -> PartnershipQuerySet:
        """Return partnerships with a present party for which the person has one of the roles."""
        route = Organisations("parties__organisation", when=Q(parties__status=PartyStatus.ACCEPTED), roles=roles)
        return self.filter(visible_to(Partnership, (route,), user))

    def draft_visible_to(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Return partnerships whose draft terms the person may read.

        Editors and leads of present and invited parties may read drafts.
        """
        parties = Q(parties__status__in=[PartyStatus.ACCEPTED, PartyStatus.INVITED])
        route = Organisations("parties__organisation", when=parties, roles=EDITING_ROLES)
        return self.filter(visible_to(Partnership, (route,), user))

    def changeable_by(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Return partnerships that the person may change, as lead for a party that is chair or lead."""
        return self.filter(visible_to(Partnership, MANAGERS, user))

    def live(self) -> PartnershipQuerySet:
        """Return partnerships that are not over today."""
        return self.exclude(is_over_on(timezone.localdate()))


#: Label in the row history for the state of a partnership that people of a former party may still read (see
#: `former_parties`).
LEFT_BEHIND = "left_behind"


@pghistory.track(
    pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), pghistory.ManualEvent(LEFT_BEHIND)
)
class Partnership(models.Model):
    """Organisations that work together on stated terms.

    A partnership is exploring, then drafting, awaiting sign-off, agreed (if it starts later), active, and under review.
    After a review it is active again, renewed or ended. An active partnership can be suspended and resumed. Any
    partnership that is not over can be ended. Every change of status has a reason.

    A renewed or ended partnership is read-only. The successor of a renewed partnership points to it.

    Read `state`, not `status`: a partnership starts, comes under review and ends on its dates, and a job stores the new
    `status` only later.
    """

    title = models.CharField(max_length=200)
    kind = VocabularyKey(PartnershipKind, on_delete=models.PROTECT, to_field="code", db_column="kind", related_name="+")
    status = models.CharField(max_length=20, choices=Status, default=Status.EXPLORING)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.PARTIES)

    # What the partners agreed. Most of these fields are copies from the terms in `terms_version`.
    purpose = models.TextField(blank=True)
    legally_binding = models.BooleanField(default=False)
    terms_of_reference = models.TextField(blank=True)

    # Dates and notice.
    starts_on = models.DateField(null=True, blank=True)
    review_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True, help_text="The last day on which the partnership is in force.")
    goes_on = models.BooleanField(
        "continues until ended",
        default=False,
        help_text="The partnership continues after its end date until a party ends it.",
    )
    notice_ends_on = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="The last day of the partnership, if a notice ends it.",
    )
    notice_days = models.PositiveSmallIntegerField(
        "notice period (days)",
        null=True,
        blank=True,
        help_text="How many days’ notice a party must give to leave or end the partnership.",
    )

    # Meetings, contact and reporting.
    quorum = models.PositiveSmallIntegerField(null=True, blank=True)
    meeting_frequency = models.CharField(max_length=80, blank=True)
    contact_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="After how many days without a conversation the partnership has gone quiet. Leave this empty to use "
        "the site’s default.",
    )
    reports_to = models.CharField(max_length=200, blank=True)

    # Money and places.
    contribution = models.TextField("contribution in money or in kind", blank=True)
    annual_budget = models.DecimalField("annual budget (£)", max_digits=14, decimal_places=2, null=True, blank=True)
    liabilities = models.TextField(blank=True)
    areas = models.ManyToManyField(Area, blank=True, related_name="partnerships")

    # The agreement before this one, and the signed terms.
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

    # What pages show beside the fields. These values depend on the reader or the day, so they are not in the database.
    # `former_parties` sets `read_on`, and `listing.partnerships` sets the others.
    #
    #: The day on which the organisation of a former party left. `state` returns the status on this day. Never save an
    #: instance that has it, because its fields have the values of that day.
    read_on: dt.date | None = None
    #: Days without cover before or after the partnership.
    gap: Gap | None = None
    #: Whether the reader may read the partnership in full.
    is_inside = False
    #: Whether the reader's organisation has left the partnership.
    is_former = False
    #: The names of the present parties, in order.
    party_names: Sequence[str] = ()

    objects = PartnershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(starts_on=None) | Q(ends_on__gte=F("starts_on")),
                name="partnership_does_not_end_before_start",
                violation_error_message="The end date must not be before the start date.",
            ),
            models.CheckConstraint(
                condition=Q(review_on=None) | Q(starts_on=None) | Q(review_on__gte=F("starts_on")),
                name="partnership_review_not_before_start",
                violation_error_message="The review date must not be before the start date.",
            ),
            models.CheckConstraint(
                condition=Q(contact_days=None) | Q(contact_days__range=(CONTACT_DAYS[0], CONTACT_DAYS[-1])),
                name="partnership_contact_days_in_range",
            ),
            models.CheckConstraint(
                condition=Q(notice_days=None) | Q(notice_days__range=(NOTICE_DAYS[0], NOTICE_DAYS[-1])),
                name="partnership_notice_days_in_range",
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
        """Return the address of the page of the partnership."""
        return page_address("agreements:detail", self.pk)

    def state_on(self, day: dt.date) -> Status:
        """Return the status on a day, according to the status and dates stored now."""
        return status_on(day, self)

    @property
    def state(self) -> Status:
        """Return the status today, whether or not the job has stored the status yet."""
        return status_on(self.read_on or timezone.localdate(), self)

    @property
    def state_label(self) -> str:
        """Return the status today in words."""
        return str(self.state.label)

    @property
    def state_since(self) -> dt.datetime | None:
        """Return when the status began, or None if the job has not stored the status yet."""
        return self.status_since if self.state == self.status else None

    @property
    def is_over(self) -> bool:
        """Return whether the partnership is renewed or ended, and so read-only."""
        return self.state in FINAL_STATUSES

    def is_over_on(self, day: dt.date) -> bool:
        """Return whether the partnership is read-only on a day.

        Services use this method, because their caller passes the time.
        """
        return self.state_on(day) in FINAL_STATUSES

    @property
    def days_until_quiet(self) -> int:
        """Return how many days without a conversation make the partnership quiet.

        The number is the partnership's own setting or, without a setting, the site's default.
        """
        return self.contact_days or settings.NO_CONTACT_DAYS

    @property
    def next_statuses(self) -> tuple[Status, ...]:
        """Return the statuses to which the partnership may change from today's status."""
        return TRANSITIONS[self.state]


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent(), obj_field=None)
class PartnershipArea(Partnership.areas.through):  # type: ignore[name-defined,misc]  # made by Django
    """A link between a partnership and an area. A proxy model, so that pghistory can track the link table."""

    class Meta:
        proxy = True


def partnership_readers(partnership: Partnership) -> models.QuerySet[User]:
    """Return the people who may read all of a partnership today."""
    return readers_of(Partnership, FULL_READERS, partnership)
