"""Organisations: names, identifiers, areas, members and successions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from partnerships.people.models import Invitation, User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Kind(models.TextChoices):
    """The kind of organisation (docs/glossary.md)."""

    REGISTERED_PROVIDER = "registered_provider", "Registered provider"
    COUNCIL = "council", "Council"
    STRATEGIC_AUTHORITY = "strategic_authority", "Combined or strategic authority"
    NATIONAL_PARK = "national_park", "National park authority"
    LEP = "lep", "Local Enterprise Partnership"
    BUSINESS_BOARD = "business_board", "Business board"
    HOMES_ENGLAND = "homes_england", "Homes England"
    GOVERNMENT_DEPARTMENT = "government_department", "Government department"
    REGULATOR = "regulator", "Regulator"
    TRADE_BODY = "trade_body", "Trade body"
    DEVELOPER = "developer", "Developer"
    NHS = "nhs", "NHS body"
    CHARITY = "charity", "Charity"


class CouncilType(models.TextChoices):
    """The tier of a council, coded as in the published registers."""

    UNITARY = "UA", "Unitary"
    METROPOLITAN = "MD", "Metropolitan district"
    DISTRICT = "NMD", "District"
    LONDON_BOROUGH = "LBO", "London borough"
    COUNTY = "CTY", "County"
    CITY_CORPORATION = "CC", "City corporation"
    COMBINED = "COMB", "Combined authority"
    STRATEGIC_REGIONAL = "SRA", "Strategic regional authority"


class Status(models.TextChoices):
    """The stage of an organisation's life.

    A shadow authority is elected but has no powers before vesting day.
    """

    PROPOSED = "proposed", "Proposed"
    SHADOW = "shadow", "Shadow"
    ACTIVE = "active", "Active"
    MERGING = "merging", "Merging"
    DISSOLVED = "dissolved", "Dissolved"


class AreaKind(models.TextChoices):
    """The kind of area that a GSS code names."""

    DISTRICT = "district", "District or unitary"
    COUNTY = "county", "County"
    REGION = "region", "Region"
    COMBINED_AUTHORITY = "combined_authority", "Combined authority area"
    LEP = "lep", "LEP area"
    NATION = "nation", "Nation"


@pghistory.track()
class Area(models.Model):
    """A place with a code; not the body that governs it.

    A parent contains it (a county its districts). `valid_to` is exclusive: the first day on which the area no longer
    existed.
    """

    code = models.CharField("GSS code", max_length=9, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=AreaKind)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    region = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="area_ends_after_it_starts",
            )
        ]

    def __str__(self) -> str:
        return self.name


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Filters of organisations."""

    def visible_to(self, user: User | AnonymousUser) -> OrganisationQuerySet:
        """All organisations for anyone signed in (docs/rights.md)."""
        return self if user.is_authenticated and user.is_active else self.none()

    def of_person(self, user: User | AnonymousUser, *roles: str) -> OrganisationQuerySet:
        """Those the person acts for today, in one of the roles if any is given."""
        return self.filter(pk__in=Membership.objects.current().of_person(user, *roles).values("organisation"))

    def current(self) -> OrganisationQuerySet:
        """Organisations that are not dissolved."""
        return self.exclude(status=Status.DISSOLVED)

    def for_listing(self) -> OrganisationQuerySet:
        """With everything that a list shows, in two queries."""
        return self.select_related("region").prefetch_related("identifiers")


@pghistory.track()
class Organisation(models.Model):
    """A body that can be a partner.

    Its identity is its identifiers, never its name. It is never deleted, only ended.

    States: proposed → shadow → active → merging → dissolved. `missing_from` names the registers whose latest list no
    longer has it, each with the day of the first list without it; `missing_since` is the earliest of these days.
    Somebody should then check it.
    """

    name = models.CharField(max_length=300)
    short_name = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=30, choices=Kind)
    council_type = models.CharField(max_length=4, choices=CouncilType, blank=True)
    designation = models.CharField(
        max_length=40, blank=True, help_text="Registered providers: Non-profit, Profit or Local authority."
    )
    legal_form = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    region = models.ForeignKey(Area, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="group_members")
    website = models.URLField(max_length=500, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True, help_text="The first day on which it no longer was.")
    second_factor_required = models.BooleanField(
        default=False, help_text="Everybody who acts for it signs in with a second factor, whatever their role."
    )
    sign_in_provider = models.CharField(
        max_length=120,
        blank=True,
        help_text="The key of the OpenID Connect provider that its people may sign in through.",
    )
    own_sign_in_required_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its people must sign in through that provider."
    )
    missing_since = models.DateField(null=True, blank=True)
    missing_from = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    areas = models.ManyToManyField(Area, through="AreaServed", related_name="organisations")

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gte=F("valid_from")),
                name="organisation_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(missing_since=None, missing_from={})
                | (Q(missing_since__isnull=False) & ~Q(missing_from={})),
                name="organisation_missing_from_a_register",
            ),
            models.CheckConstraint(
                condition=Q(own_sign_in_required_at=None) | ~Q(sign_in_provider=""),
                name="organisation_requires_a_sign_in_it_has",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "name", "id"], name="organisation_kind_name"),
            models.Index(fields=["name", "id"], name="organisation_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def own_sign_in_required(self) -> bool:
        """Whether its people must sign in through its own provider."""
        return self.own_sign_in_required_at is not None

    @property
    def asks_more_at_sign_in(self) -> bool:
        """Whether it requires a second factor or its own sign-in."""
        return self.second_factor_required or self.own_sign_in_required

    def get_absolute_url(self) -> str:
        """The URL of its page."""
        return reverse("organisations:detail", kwargs={"pk": self.pk})

    @property
    def display_name(self) -> str:
        """The short name, or else the name."""
        return self.short_name or self.name

    @property
    def is_ended(self) -> bool:
        """Whether it has been dissolved."""
        return self.status == Status.DISSOLVED

    @property
    def needs_checking(self) -> bool:
        """Whether the latest list of one of its registers no longer has it."""
        return self.missing_since is not None

    @property
    def missing_in_words(self) -> list[tuple[str, dt.date]]:
        """The registers whose latest list lacks it, each with the day since when."""
        return [
            (register.replace("-", " ").capitalize(), dt.date.fromisoformat(day))
            for register, day in sorted(self.missing_from.items())
        ]


class NameKind(models.TextChoices):
    """The kind of name."""

    OFFICIAL = "official", "Official"
    SHORT = "short", "Short"
    ALTERNATIVE = "alternative", "Alternative"
    FORMER = "former", "Former"


@pghistory.track()
class OrganisationName(models.Model):
    """Every name by which an organisation can be found.

    `folded` is the normalised form that search and matching compare.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=300)
    folded = models.CharField(max_length=300)
    kind = models.CharField(max_length=12, choices=NameKind)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="one_row_a_name")]
        indexes = [
            GinIndex(OpClass(F("folded"), name="gin_trgm_ops"), name="organisation_name_trgm"),
            models.Index(fields=["folded"], name="organisation_name_folded"),
        ]

    def __str__(self) -> str:
        return self.name


class Scheme(models.TextChoices):
    """The body that issues the identifier."""

    GSS = "gss", "GSS code"
    LOCAL_AUTHORITY = "local-authority", "Local authority key"
    RSH = "rsh", "Regulator of Social Housing registration number"
    PLANNING_DATA = "planning-data", "Planning data entity"
    LEP = "lep", "LEP code"
    COMPANY = "company", "Company number"
    CHARITY = "charity", "Charity number"
    ODS = "ods", "NHS organisation code"
    NETWORK = "network", "Key in a loaded network file"
    LOCAL_AUTHORITY_FORMER = "former-key", "Former or other key"


@pghistory.track()
class Identifier(models.Model):
    """A number or code of one organisation in one scheme.

    Always text: `45UB`, `5069`.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=20, choices=Scheme)
    value = models.CharField(max_length=80)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "value"],
                name="one_organisation_an_identifier",
                violation_error_message="Another organisation already has this identifier.",
            )
        ]
        indexes = [GinIndex(OpClass(F("value"), name="gin_trgm_ops"), name="identifier_value_trgm")]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.value}"


@pghistory.track()
class AreaServed(models.Model):
    """An organisation serves (or governs) an area between two days.

    The last day is exclusive.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="areas_served")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="served_by")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "areas served"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "area", "starts_on"],
                name="one_row_an_area_served",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} serves {self.area_id}"


class SuccessionKind(models.TextChoices):
    """How one organisation or area followed another."""

    MERGE = "merge", "Merged"
    SPLIT = "split", "Split"
    ABSORB = "absorb", "Absorbed"
    RECODE = "recode", "Recoded"
    BOUNDARY_CHANGE = "boundary_change", "Boundary change"
    FUNCTION_TRANSFER = "function_transfer", "Functions transferred"
    RENAME = "rename", "Renamed"


@pghistory.track()
class Succession(models.Model):
    """An event that turned predecessors into successors.

    With its date and legal instrument.
    """

    kind = models.CharField(max_length=20, choices=SuccessionKind)
    on = models.DateField(null=True, blank=True, help_text="The day the successors took over.")
    instrument = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=200, blank=True)
    predecessors = models.ManyToManyField(
        Organisation, related_name="successions_from", through="SuccessionPredecessor"
    )
    successors = models.ManyToManyField(Organisation, related_name="successions_to", through="SuccessionSuccessor")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on or ''}".strip()


@pghistory.track()
class SuccessionPredecessor(models.Model):
    """An organisation that a succession ended or took from."""

    succession = models.ForeignKey(Succession, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["succession", "organisation"], name="one_predecessor_row")]

    def __str__(self) -> str:
        return f"{self.organisation_id} before {self.succession_id}"


@pghistory.track()
class SuccessionSuccessor(models.Model):
    """An organisation that a succession created or gave to."""

    succession = models.ForeignKey(Succession, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["succession", "organisation"], name="one_successor_row")]

    def __str__(self) -> str:
        return f"{self.organisation_id} after {self.succession_id}"


class Role(models.TextChoices):
    """What a person may do for an organisation (docs/rights.md)."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    LEAD = "lead", "Lead"


#: Roles that may create and edit for their organisation.
EDITING_ROLES = (Role.EDITOR, Role.LEAD)


#: The key under which events keep the reason for beginning or ending a membership. Timelines do not show it.
REASON = "reason_for_leads"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Filters of memberships."""

    def current(self, on: dt.date | None = None) -> MembershipQuerySet:
        """Memberships in force on a day (by default today).

        Accepted, begun and not ended, of people who have not left.
        """
        day = on or timezone.localdate()
        return self.filter(
            Q(ends_on=None) | Q(ends_on__gt=day),
            accepted_at__isnull=False,
            starts_on__lte=day,
            person__is_active=True,
        )

    def visible_to(self, user: User | AnonymousUser) -> MembershipQuerySet:
        """Memberships in full, also pending and ended ones.

        Their own and those of their organisations; all for administrators.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_staff:
            return self
        return self.filter(Q(person_id=user.pk) | Q(organisation__in=Organisation.objects.of_person(user)))

    def of_person(self, user: User | AnonymousUser, *roles: str) -> MembershipQuerySet:
        """Those of one person, in one of the roles if any is given."""
        mine = self.filter(person_id=user.pk)
        return mine.filter(role__in=roles) if roles else mine

    def for_listing(self) -> MembershipQuerySet:
        """With person and organisation, in the order in which lists show them."""
        return self.select_related("person", "organisation").order_by("person__name", "pk")


@pghistory.track(exclude=["job_title"])
class Membership(models.Model):
    """A person acts for an organisation in a role, between two days.

    The last day is exclusive. States: invited (not yet accepted) → in force → ended. Rows are ended, not deleted, so
    that history stays when people change.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role)
    job_title = models.CharField(max_length=150, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    invitation = models.ForeignKey(
        Invitation, on_delete=models.SET_NULL, null=True, blank=True, related_name="memberships"
    )
    accepted_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation"],
                condition=Q(ends_on=None),
                name="one_open_membership_a_person",
                violation_error_message="This person already acts for this organisation.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="membership_ends_after_it_starts",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "organisation", "role"], name="membership_person"),
            models.Index(fields=["organisation", "role"], name="membership_organisation"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} for {self.organisation_id} as {self.role}"

    @property
    def is_lead(self) -> bool:
        """Whether the role is lead."""
        return self.role == Role.LEAD

    @property
    def is_pending(self) -> bool:
        """Whether the person has not accepted yet."""
        return self.accepted_at is None
