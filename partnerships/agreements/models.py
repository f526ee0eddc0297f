"""Partnerships, their parties, terms and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from partnerships.organisations.audience import Network, Organisations, readers_of, visible_to
from partnerships.organisations.holdings import remember
from partnerships.organisations.models import Area, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Kind(models.TextChoices):
    """The kind of arrangement (docs/glossary.md)."""

    BILATERAL = "bilateral", "Bilateral agreement"
    MEMORANDUM = "memorandum", "Memorandum of understanding"
    CHARTER = "charter", "Charter"
    PREFERRED_PARTNERS = "preferred_partners", "Preferred-partner panel"
    STRATEGIC_BOARD = "strategic_board", "Strategic board"
    JOINT_VENTURE = "joint_venture", "Joint venture"
    HOMES_ENGLAND = "homes_england", "Homes England strategic or place partnership"
    NOMINATIONS = "nominations", "Nominations agreement"
    CONSORTIUM = "consortium", "Consortium"


class Status(models.TextChoices):
    """State of a partnership; `TRANSITIONS` lists the allowed next states."""

    EXPLORING = "exploring", "Exploring"
    DRAFTING = "drafting", "Drafting"
    AWAITING_SIGN_OFF = "awaiting_sign_off", "Awaiting sign-off"
    ACTIVE = "active", "Active"
    UNDER_REVIEW = "under_review", "Under review"
    SUSPENDED = "suspended", "Suspended"
    RENEWED = "renewed", "Renewed"
    ENDED = "ended", "Ended"


#: Allowed next statuses (docs/rights.md). Any partnership that is not over can be ended.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    Status.EXPLORING: (Status.DRAFTING, Status.ENDED),
    Status.DRAFTING: (Status.AWAITING_SIGN_OFF, Status.ENDED),
    Status.AWAITING_SIGN_OFF: (Status.ACTIVE, Status.ENDED),
    Status.ACTIVE: (Status.UNDER_REVIEW, Status.SUSPENDED, Status.ENDED),
    Status.UNDER_REVIEW: (Status.ACTIVE, Status.RENEWED, Status.ENDED),
    Status.SUSPENDED: (Status.ACTIVE, Status.ENDED),
    Status.RENEWED: (),
    Status.ENDED: (),
}

#: Limits, in days, of the contact rhythm.
CONTACT_DAYS = range(7, 731)

#: Statuses in which a partnership is read-only.
OVER = (Status.RENEWED, Status.ENDED)


class Audience(models.TextChoices):
    """Who beyond the parties may know of it."""

    PARTIES = "parties", "Its parties only"
    NETWORK = "network", "Everyone signed in may see title, parties, kind, purpose, areas and status"


class PartyRole(models.TextChoices):
    """Role of a party. Observers read and comment only."""

    CHAIR = "chair", "Chair"
    LEAD = "lead", "Lead"
    MEMBER = "member", "Member"
    OBSERVER = "observer", "Observer"


#: Roles whose leads may invite others and change terms and status.
LEADING_ROLES = (PartyRole.CHAIR, PartyRole.LEAD)


class PartyStatus(models.TextChoices):
    """State of an organisation's part."""

    INVITED = "invited", "Invited"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    LEFT = "left", "Left"


#: Statuses of a former party, which reads what it could read at `left_at`. It may be invited again and not have
#: answered yet; `left_at` is empty where the organisation has never left.
FORMER_STATUSES = (PartyStatus.LEFT, PartyStatus.INVITED)
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
#: Routes to those who may change its terms and status.
LEADING = (
    Organisations(
        "parties__organisation",
        when=Q(parties__status=PartyStatus.ACCEPTED, parties__role__in=LEADING_ROLES),
        roles=("lead",),
    ),
)
#: Routes to those who may read its outline.
OUTLINE = (Network(when=Q(audience=Audience.NETWORK)),)
#: Routes to everybody who may see at least its outline.
OUTLINED = (*INSIDE, *FORMER, *OUTLINE)


class PartnershipQuerySet(models.QuerySet["Partnership"]):
    """Filters by reader, by who may act, and by status."""

    def visible_to(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Those the person may see at least in outline."""
        return self.filter(visible_to(Partnership, OUTLINED, user))

    def known_today_to(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Those the person may see today, in full or in outline.

        Without those that only a former party reads.
        """
        return self.filter(visible_to(Partnership, (*INSIDE, *OUTLINE), user))

    def inside_for(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Those the person may read in full today.

        For people of present and invited parties.
        """
        return self.filter(visible_to(Partnership, INSIDE, user))

    def held_by(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Those the person may read in full, today or up to the day they left."""
        return self.filter(visible_to(Partnership, (*INSIDE, *FORMER), user))

    def present_for(self, user: User | AnonymousUser, *roles: str) -> PartnershipQuerySet:
        """Those with a present party for which the person has one of the roles."""
        route = Organisations("parties__organisation", when=Q(parties__status=PartyStatus.ACCEPTED), roles=roles)
        return self.filter(visible_to(Partnership, (route,), user))

    def led_by(self, user: User | AnonymousUser) -> PartnershipQuerySet:
        """Those whose terms and status the person may change.

        For leads of the chair's or a lead organisation.
        """
        return self.filter(visible_to(Partnership, LEADING, user))

    def live(self) -> PartnershipQuerySet:
        """Those not over."""
        return self.exclude(status__in=OVER)

    def for_listing(self) -> PartnershipQuerySet:
        """Fetch parties and organisations; the caller orders."""
        return self.prefetch_related(
            models.Prefetch(
                "parties",
                queryset=Party.objects.select_related("organisation").order_by("role", "pk"),
            ),
            "areas",
        )


#: Row history label of the state that a former party still reads: see `past`.
LEFT_BEHIND = "left_behind"


@pghistory.track(
    pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), pghistory.ManualEvent(LEFT_BEHIND)
)
class Partnership(models.Model):
    """Organisations that work together on stated terms.

    exploring → drafting → awaiting sign-off → active → under review → active again, renewed or ended; active ⇄
    suspended; ended from any state. Every step has a reason. Renewed and ended ones are read-only; the successor points
    to the renewed one.
    """

    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=20, choices=Status, default=Status.EXPLORING)
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.PARTIES)
    purpose = models.TextField(blank=True)
    legally_binding = models.BooleanField(default=False)
    terms_of_reference = models.TextField(blank=True)
    starts_on = models.DateField(null=True, blank=True)
    review_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    quorum = models.PositiveSmallIntegerField(null=True, blank=True)
    meeting_frequency = models.CharField(max_length=80, blank=True)
    contact_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Days without a conversation after which it has gone quiet; empty: as the site.",
    )
    reports_to = models.CharField(max_length=200, blank=True)
    contribution = models.TextField("contribution in money and kind", blank=True)
    annual_budget = models.DecimalField("annual budget (£)", max_digits=14, decimal_places=2, null=True, blank=True)
    liabilities = models.TextField(blank=True)
    areas = models.ManyToManyField(Area, blank=True, related_name="partnerships")
    redefines = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="redefined_by")
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
        ]
        indexes = [models.Index(fields=["status", "title", "id"], name="partnership_listing")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("agreements:detail", kwargs={"pk": self.pk})

    @property
    def is_over(self) -> bool:
        """Whether it is read-only."""
        return self.status in OVER

    @property
    def quiet_after(self) -> int:
        """Days without a conversation after which it has gone quiet.

        As its leads chose, or the site's default.
        """
        return self.contact_days or settings.NO_CONTACT_DAYS

    @property
    def next_statuses(self) -> tuple[Status, ...]:
        """Statuses allowed next."""
        return tuple(Status(status) for status in TRANSITIONS[self.status])


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent(), obj_field=None)
class PartnershipArea(Partnership.areas.through):  # type: ignore[name-defined,misc]  # made by Django
    """Link to an area; a proxy model, so that row history covers it."""

    class Meta:
        proxy = True


class PartyQuerySet(models.QuerySet["Party"]):
    """Filters by whether they take part, today or at a moment."""

    def left_after(self, at: str, user: User | AnonymousUser) -> PartyQuerySet:
        """Former parties of the person's organisations that still took part at a moment.

        `at` is the moment's lookup in the outer query.
        """
        mine = Organisation.objects.of_person(user)
        return self.filter(organisation__in=mine, status__in=FORMER_STATUSES, left_at__gte=models.OuterRef(at))

    def present(self) -> PartyQuerySet:
        """Those that accepted and have not left."""
        return self.filter(status=PartyStatus.ACCEPTED)

    def required(self) -> PartyQuerySet:
        """Those that must accept before it is active: all but observers.

        Only invited and present ones.
        """
        return self.filter(status__in=[PartyStatus.INVITED, PartyStatus.ACCEPTED]).exclude(role=PartyRole.OBSERVER)


@remember("status", "role")
@pghistory.track()
class Party(models.Model):
    """An organisation's part: invited → accepted or declined; accepted → left.

    One row per organisation. One that left may be invited again: it keeps `left_at`, and what it may read since then,
    until it accepts. If it declines, or the invitation is withdrawn, its status is left again.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="parties")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="parties")
    role = models.CharField(max_length=8, choices=PartyRole, default=PartyRole.MEMBER)
    status = models.CharField(max_length=8, choices=PartyStatus, default=PartyStatus.INVITED)
    invited_at = models.DateTimeField()
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)
    joined_on = models.DateField(null=True, blank=True)
    left_on = models.DateField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)

    objects = PartyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "parties"
        constraints = [
            models.UniqueConstraint(
                fields=["partnership", "organisation"],
                name="one_party_an_organisation",
                violation_error_message="This organisation is already part of the partnership.",
            ),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(joined_on=None) | Q(left_on__gte=F("joined_on")),
                name="party_leaves_after_joining",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "status", "partnership"], name="party_organisation")]

    def __str__(self) -> str:
        return f"{self.organisation_id} in {self.partnership_id}"

    @property
    def is_present(self) -> bool:
        """Whether it takes part today."""
        return self.status == PartyStatus.ACCEPTED

    @property
    def is_leading(self) -> bool:
        """Whether its leads may change terms and status."""
        return self.role in LEADING_ROLES

    @property
    def is_waiting(self) -> bool:
        """Whether its invitation has no answer yet."""
        return self.status == PartyStatus.INVITED


class DocumentQuerySet(models.QuerySet["Document"]):
    """Documents by reader."""

    def visible_to(self, user: User | AnonymousUser) -> DocumentQuerySet:
        """Documents of partnerships in which the person's organisation takes part.

        A former party reads those added before it left. An invited organisation reads the terms, but no documents.
        Removed documents are hidden from everybody; an administrator restores them in Django admin.
        """
        inside = Partnership.objects.present_for(user).values("pk")
        former = Party.objects.filter(
            organisation__in=Organisation.objects.of_person(user),
            status__in=FORMER_STATUSES,
            partnership=models.OuterRef("partnership"),
            left_at__gte=models.OuterRef("added_at"),
        )
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(partnership__in=inside) | Q(models.Exists(former)), removed_at=None)


@pghistory.track()
class Document(models.Model):
    """A file of a partnership; stored outside the web root."""

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=200)
    file = models.FileField(upload_to="agreements/%Y/%m", max_length=300)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = DocumentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title


def partnership_readers(partnership: Partnership) -> models.QuerySet[User]:
    """People who may read all of a partnership today."""
    return readers_of(Partnership, INSIDE, partnership)
