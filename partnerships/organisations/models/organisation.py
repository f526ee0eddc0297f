"""The organisation, with its kinds and states."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from partnerships.kit.addresses import page_address
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models.areas import Area
from partnerships.organisations.models.memberships import Membership
from partnerships.organisations.models.merges import Merge
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Kind(models.TextChoices):
    """The kinds of organisation (docs/glossary.md)."""

    REGISTERED_PROVIDER = "registered_provider", "Registered provider"
    COUNCIL = "council", "Council"
    STRATEGIC_AUTHORITY = "strategic_authority", "Combined or strategic authority"
    NATIONAL_PARK = "national_park", "National park authority"
    DEVELOPMENT_CORPORATION = "development_corporation", "Development corporation"
    LEP = "lep", "Local Enterprise Partnership"
    BUSINESS_BOARD = "business_board", "Business board"
    HOMES_ENGLAND = "homes_england", "Homes England"
    GOVERNMENT_DEPARTMENT = "government_department", "Government department"
    REGULATOR = "regulator", "Regulator"
    TRADE_BODY = "trade_body", "Trade body"
    DEVELOPER = "developer", "Developer"
    NHS = "nhs", "NHS body"
    CHARITY = "charity", "Charity"
    PUBLIC_BODY = "public_body", "Other public body"


#: Kinds of organisation that make plans and agreements by law.
PLANNING_BODIES = (Kind.COUNCIL, Kind.NATIONAL_PARK, Kind.DEVELOPMENT_CORPORATION, Kind.STRATEGIC_AUTHORITY)


class CouncilType(models.TextChoices):
    """The tier of a council, with the codes of the published registers."""

    UNITARY = "UA", "Unitary"
    METROPOLITAN = "MD", "Metropolitan district"
    DISTRICT = "NMD", "District"
    LONDON_BOROUGH = "LBO", "London borough"
    COUNTY = "CTY", "County"
    CITY_CORPORATION = "CC", "City corporation"
    COMBINED = "COMB", "Combined authority"
    STRATEGIC_REGIONAL = "SRA", "Strategic regional authority"


class Status(models.TextChoices):
    """The state of an organisation. A shadow authority is elected but has no powers before its vesting day."""

    PROPOSED = "proposed", "Proposed"
    SHADOW = "shadow", "Shadow"
    ACTIVE = "active", "Active"
    MERGING = "merging", "Merging"
    DISSOLVED = "dissolved", "Dissolved"


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Filters for organisations by reader, by person and by whether they still exist."""

    def visible_to(self, user: User | AnonymousUser) -> OrganisationQuerySet:
        """Return all organisations to people who are signed in (docs/rights.md), and none to visitors."""
        return self if user.is_authenticated and user.is_active else self.none()

    def of_person(self, user: User | AnonymousUser, *roles: str) -> OrganisationQuerySet:
        """Return the organisations for which the person acts today; if roles are given, only those in these roles."""
        return self.filter(id_is_among("pk", Membership.objects.organisations_of(user, *roles)))

    def current(self) -> OrganisationQuerySet:
        """Return organisations that are neither dissolved nor merged into another record."""
        return self.not_merged().exclude(status=Status.DISSOLVED)

    def not_merged(self) -> OrganisationQuerySet:
        """Return organisations without the duplicates that were merged into another record."""
        return self.exclude(pk__in=Merge.objects.in_force().values("merged"))


@pghistory.track()
class Organisation(models.Model):
    """An organisation that can be a partner.

    Use its identifiers to recognise an organisation, because its name may change. An organisation is never deleted,
    only dissolved. States: proposed → shadow → active → merging → dissolved.
    """

    # What the organisation is.
    name = models.CharField(max_length=300)
    short_name = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=30, choices=Kind)
    council_type = models.CharField(max_length=4, choices=CouncilType, blank=True)
    designation = models.CharField(
        max_length=40, blank=True, help_text="For registered providers: Non-profit, Profit or Local authority."
    )
    legal_form = models.CharField(max_length=120, blank=True)

    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)

    # Its place, group and website.
    region = models.ForeignKey(Area, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="group_members")
    website = models.URLField(max_length=500, blank=True)

    # When it exists.
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(
        null=True, blank=True, help_text="The first day on which the organisation no longer exists."
    )

    # How its people sign in.
    second_factor_required = models.BooleanField(
        default=False, help_text="Everyone who acts for the organisation must use a second factor, whatever their role."
    )
    sign_in_provider = models.CharField(
        max_length=120,
        blank=True,
        help_text="The provider ID of the OpenID Connect provider through which the organisation’s people may sign in.",
    )
    own_sign_in_required_at = models.DateTimeField(
        null=True, blank=True, help_text="When the organisation’s people first had to sign in through the provider."
    )

    is_demonstration = models.BooleanField(
        "demonstration",
        default=False,
        help_text="Tick this if the organisation is invented and came with the demonstration network.",
    )

    # The registers that list it.
    missing_since = models.DateField(
        null=True,
        blank=True,
        help_text="The earliest day in “missing from”. An administrator should then check the organisation.",
    )
    missing_from = models.JSONField(
        default=dict,
        blank=True,
        help_text="Registers whose latest list no longer has the organisation, each with the day of the first list "
        "without it.",
    )

    created_at = models.DateTimeField(auto_now_add=True)

    areas = models.ManyToManyField(Area, through="AreaServed", related_name="organisations")

    #: The id of the organisation into which this organisation was merged, if a query has annotated it.
    merged_into_id: int | None = None

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="organisation_does_not_end_before_start",
            ),
            models.CheckConstraint(
                condition=Q(missing_since=None, missing_from={})
                | (Q(missing_since__isnull=False) & ~Q(missing_from={})),
                name="missing_organisation_has_registers",
            ),
            models.CheckConstraint(
                condition=Q(own_sign_in_required_at=None) | ~Q(sign_in_provider=""),
                name="organisation_required_sign_in_has_provider",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="organisation_is_not_its_own_parent"),
        ]
        indexes = [
            models.Index(fields=["kind", "name", "id"], name="organisation_kind_name"),
            models.Index(fields=["name", "id"], name="organisation_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def own_sign_in_required(self) -> bool:
        """Return True if the organisation's people must sign in through its own provider."""
        return self.own_sign_in_required_at is not None

    @property
    def asks_more_at_sign_in(self) -> bool:
        """Return True if the organisation requires a second factor or sign-in through its own provider."""
        return self.second_factor_required or self.own_sign_in_required

    def get_absolute_url(self) -> str:
        """Return the URL of the organisation's page."""
        return page_address("organisations:detail", self.pk)

    @property
    def display_name(self) -> str:
        """Return the short name or, if there is none, the full name."""
        return self.short_name or self.name

    @property
    def is_ended(self) -> bool:
        """Return True if the organisation has been dissolved."""
        return self.status == Status.DISSOLVED

    @property
    def is_planning_authority(self) -> bool:
        """Return True if the organisation makes plans and agreements by law and still exists."""
        return self.kind in PLANNING_BODIES and not self.is_ended

    @property
    def org_ids(self) -> list[str]:
        """Return the present identifiers as org-id.guide writes them. Fetch `identifiers` with `prefetch_related`."""
        today = timezone.localdate()
        return sorted(
            identifier.org_id
            for identifier in self.identifiers.all()
            if identifier.org_id and identifier.is_valid_on(today)
        )

    @property
    def kind_in_words(self) -> str:
        """Return the kind of organisation, marked “demonstration” if it belongs to the demonstration network."""
        return f"{self.get_kind_display()}, demonstration" if self.is_demonstration else self.get_kind_display()

    @property
    def needs_checking(self) -> bool:
        """Return True if the organisation is missing from the latest list of one of its registers."""
        return self.missing_since is not None

    @property
    def missing_in_words(self) -> list[tuple[str, dt.date]]:
        """Return the names of registers that no longer list the organisation, each with the first day without it."""
        return [
            (register.replace("-", " ").capitalize(), dt.date.fromisoformat(day))
            for register, day in sorted(self.missing_from.items())
        ]
