"""Proposals and versions of terms, their signatures, and which version is in force."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from partnerships.agreements.models.choices import FORMER_STATUSES
from partnerships.agreements.models.document import Document
from partnerships.agreements.models.partnership import Partnership
from partnerships.agreements.models.party import Party
from partnerships.documents import models as documents
from partnerships.kit.addresses import page_address
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: How long after its deadline a version can still be signed. After that, the proposal becomes "not agreed".
LATE_SIGNING_PERIOD = dt.timedelta(days=30)


class ProposalStatus(models.TextChoices):
    """State of a proposal."""

    DRAFTING = "drafting", "Drafting"
    AWAITING = "awaiting", "Awaiting signatures"
    AGREED = "agreed", "Signed by every party"
    WITHDRAWN = "withdrawn", "Withdrawn"
    NOT_AGREED = "not_agreed", "Not agreed"


#: How long a party that joins has to sign the version in force before its escalation post is emailed.
JOINING_SIGNING_PERIOD = dt.timedelta(days=30)

#: States in which a proposal may still come into force.
OPEN_PROPOSALS = (ProposalStatus.DRAFTING, ProposalStatus.AWAITING)


class TermsProposalQuerySet(models.QuerySet["TermsProposal"]):
    """Filters for proposals by reader and by state."""

    def visible_to(self, user: User | AnonymousUser) -> TermsProposalQuerySet:
        """Return proposals that the person may read, because they may read the draft or one of its versions."""
        if not user.is_authenticated:
            return self.none()
        readable_versions = TermsVersion.objects.visible_to(user).filter(proposal=OuterRef("pk"))
        return self.filter(self._is_editor(user) | Exists(readable_versions))

    def draft_visible_to(self, user: User | AnonymousUser) -> TermsProposalQuerySet:
        """Return proposals whose draft the person may read, as editor or lead of a present or invited party."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(self._is_editor(user))

    @staticmethod
    def _is_editor(user: User) -> Exists:
        """Return a condition for proposals of partnerships in which the person is editor or lead of a party."""
        organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
        parties = Party.objects.invited_or_accepted().filter(
            organisation__in=organisations, partnership=OuterRef("partnership")
        )
        return Exists(parties)

    def in_progress(self) -> TermsProposalQuerySet:
        """Return proposals that are still drafts or are awaiting signatures."""
        return self.filter(status__in=OPEN_PROPOSALS)


@pghistory.track(exclude=["content", "pieces", "prose", "prose_rules"])
class TermsProposal(documents.Draft):
    """New terms, or an amendment of the terms in force.

    A proposal is drafted, then awaits signatures, and is agreed once every party has signed. Before that, it may be
    withdrawn, or not agreed in time. If a party declines to sign, the proposal returns to draft. Each time it is sent
    for signature, its draft is published as a new version.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="terms_proposals")
    #: The first proposal of a partnership has the number 1. The number is part of the page's address.
    number = models.PositiveIntegerField()
    #: Amendments have numbers of their own, which people see. Withdrawn amendments keep theirs. Empty for first terms.
    amendment_number = models.PositiveIntegerField(null=True, blank=True)
    proposed_by = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.TextField()
    #: The day from which the terms should apply. Empty means the day on which the last party signs.
    from_day = models.DateField(null=True, blank=True)
    #: The deadline for signatures.
    sign_by = models.DateField(null=True, blank=True)

    #: The version that an amendment amends. Empty for the first terms.
    based_on = models.ForeignKey("TermsVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: The fields and tables that the terms of this kind of partnership have (see `agreements.terms.schema`).
    declarations = models.JSONField(default=dict)

    status = models.CharField(max_length=10, choices=ProposalStatus, default=ProposalStatus.DRAFTING)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True, help_text="Why signing last stopped.")

    objects = TermsProposalQuerySet.as_manager()

    class Meta:
        verbose_name = "proposal of terms"
        verbose_name_plural = "proposals of terms"
        constraints = [
            models.UniqueConstraint(fields=["partnership", "number"], name="unique_proposal_number_per_partnership"),
            models.UniqueConstraint(
                fields=["partnership", "amendment_number"], name="unique_amendment_number_per_partnership"
            ),
            models.CheckConstraint(
                condition=Q(based_on=None, amendment_number=None) | Q(based_on__isnull=False, amendment_number__gt=0),
                name="only_amendments_have_amendment_number",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[ProposalStatus.WITHDRAWN, ProposalStatus.NOT_AGREED]) | ~Q(outcome=""),
                name="failed_proposal_has_outcome",
            ),
        ]
        indexes = [models.Index(fields=["status", "sign_by"], name="proposal_waiting")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the page of the proposal."""
        return page_address("agreements:proposal", self.partnership_id, self.number)

    @property
    def name(self) -> str:
        """Return the name that people read: "First terms" or "Amendment 1"."""
        return "First terms" if self.is_first else f"Amendment {self.amendment_number}"

    @property
    def is_first(self) -> bool:
        """Return whether the proposal contains the first terms, not an amendment."""
        return self.based_on_id is None

    @property
    def is_drafting(self) -> bool:
        """Return whether people can still edit the proposal."""
        return self.status == ProposalStatus.DRAFTING

    @property
    def is_awaiting_signatures(self) -> bool:
        """Return whether the proposal is awaiting signatures."""
        return self.status == ProposalStatus.AWAITING

    @property
    def is_agreed(self) -> bool:
        """Return whether every required party has signed the proposal."""
        return self.status == ProposalStatus.AGREED

    @property
    def is_open(self) -> bool:
        """Return whether the proposal may still come into force."""
        return self.status in OPEN_PROPOSALS

    def has_lapsed(self, today: dt.date) -> bool:
        """Return whether nobody can sign any more, because the deadline passed more than `LATE_SIGNING_PERIOD` ago."""
        if not self.is_awaiting_signatures or self.sign_by is None:
            return False
        return today > self.sign_by + LATE_SIGNING_PERIOD


class Origin(models.TextChoices):
    """How a version was created."""

    PROPOSED = "proposed", "Sent for signature"
    BEFORE_SIGNING = "before_signing", "Accepted before terms could be signed here"
    CONSOLIDATED = "consolidated", "Consolidated"


class TermsVersionQuerySet(models.QuerySet["TermsVersion"]):
    """Filters for versions by reader."""

    def visible_to(self, user: User | AnonymousUser) -> TermsVersionQuerySet:
        """Return versions that the person may read.

        People of present and invited parties may read all versions. People of a former party may read the versions
        published before their organisation left.
        """
        if not user.is_authenticated:
            return self.none()
        readable_partnerships = Partnership.objects.readable_today_by(user).values("pk")
        left_later = Party.objects.filter(
            organisation__in=Organisation.objects.of_person(user),
            status__in=FORMER_STATUSES,
            partnership=OuterRef("partnership"),
            left_at__gt=OuterRef("published_at"),
        )
        return self.filter(Q(partnership__in=readable_partnerships) | Exists(left_later))

    def without_content(self) -> TermsVersionQuerySet:
        """Leave out content and prose, which lists do not need."""
        return self.defer("content", "prose", "declarations")


class TermsVersion(documents.Version):
    """Terms as they were sent for signature, or as they read after several amendments.

    A trigger prevents changes and deletion. A consolidated version combines two signed versions, because it applies
    the changes of `amendment` to `base`. It has no signatures of its own.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="terms_versions")
    proposal = models.ForeignKey(
        TermsProposal, on_delete=models.PROTECT, null=True, blank=True, related_name="versions"
    )

    # How the version came about. Only a consolidated version has both `base` and `amendment`.
    origin = models.CharField(max_length=14, choices=Origin, default=Origin.PROPOSED)
    base = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    amendment = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    # Copies from the day of publishing, so that the version always prints the same.
    title = models.CharField(max_length=200)
    kind_label = models.CharField(max_length=120)
    parties = models.JSONField(help_text="The id, name and role of each party at that time.")
    declarations = models.JSONField(default=dict)
    from_day = models.DateField(null=True, blank=True, help_text="The day from which the version was planned to apply.")

    objects = TermsVersionQuerySet.as_manager()

    class Meta(documents.Version.Meta):
        constraints = [
            models.UniqueConstraint(fields=["partnership", "number"], name="unique_terms_version_number"),
            models.CheckConstraint(condition=Q(number__gt=0), name="terms_version_number_positive"),
            models.CheckConstraint(
                condition=(Q(origin=Origin.CONSOLIDATED) & ~Q(amendment=None) & ~Q(base=None))
                | (~Q(origin=Origin.CONSOLIDATED) & Q(amendment=None)),
                name="consolidated_terms_have_base_and_amendment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, terms, version {self.number}"

    def get_absolute_url(self) -> str:
        """Return the address of the page of the version."""
        return page_address("agreements:terms-version", self.partnership_id, self.number)

    @property
    def is_consolidated(self) -> bool:
        """Return whether the version combines two signed versions."""
        return self.origin == Origin.CONSOLIDATED

    @property
    def was_accepted_before_signing(self) -> bool:
        """Return whether parties agreed to the version by accepting their invitations."""
        return self.origin == Origin.BEFORE_SIGNING


class TermsSignatoryQuerySet(models.QuerySet["TermsSignatory"]):
    """Filters for requests to sign."""

    def waiting(self) -> TermsSignatoryQuerySet:
        """Return signatories that may still decide, with version, proposal, partnership and organisation.

        Signatories that have decided, and those in partnerships that are over, are left out.
        """
        decisions = TermsSignature.objects.filter(version=OuterRef("version"), organisation=OuterRef("organisation"))
        unanswered = self.filter(
            Q(version__proposal__status=ProposalStatus.AWAITING) | Q(joins=True),
            ~Exists(decisions),
            removed_at=None,
            version__partnership__in=Partnership.objects.live(),
        )
        return unanswered.select_related("version__proposal", "version__partnership", "organisation").order_by("pk")


@pghistory.track(exclude=["link_key", "asked_people"])
class TermsSignatory(documents.Signatory):
    """A party whose signature a version needs.

    A signatory signs or declines. It is removed when the party leaves or the proposal is withdrawn. The holder of the
    party's signatory post signs for the party. If the post is vacant, one of its leads signs. A party that joined later
    (`joins`) signs the version in force, which does not depend on this signature.
    """

    version = models.ForeignKey(TermsVersion, on_delete=models.PROTECT, related_name="signatories")
    joins = models.BooleanField(default=False, help_text="The party joined after the version came into force.")
    #: Ids of the people who got a link to sign.
    asked_people = models.JSONField(default=list)

    objects = TermsSignatoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "terms signatories"
        constraints = [
            models.UniqueConstraint(fields=["version", "organisation"], name="unique_terms_signatory_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} signs {self.version_id}"


class SigningMethod(models.TextChoices):
    """How a party signed."""

    PAGE = "page", "On the page"
    LINK = "link", "Using the link in the email"
    PAPER = "paper", "On paper"
    ACCEPTED = "accepted", "By accepting the invitation, before terms could be signed here"


class TermsSignature(documents.Signature):
    """A party's signature on a version, or its refusal. Signatures never change.

    A party that joined later may decline and still sign the same version. Its newest row then applies. A signature on
    paper has its day, its scan, and the person who recorded it.
    """

    #: Empty if the person who signed has no account.
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(TermsVersion, on_delete=models.PROTECT, related_name="signatures")
    #: The name that the signatory typed, or that the paper shows.
    name = models.CharField(max_length=200)
    how = models.CharField(max_length=8, choices=SigningMethod)
    scan = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    signed_on = models.DateField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(documents.Signature.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["version", "organisation", "decision"], name="unique_terms_signature_per_decision"
            ),
            models.CheckConstraint(condition=documents.reason_given(), name="terms_signature_has_reason"),
            models.CheckConstraint(
                condition=~Q(how=SigningMethod.PAPER) | ~Q(scan=None), name="terms_signature_on_paper_has_scan"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.decision} {self.version_id}"

    @property
    def is_condition_met(self) -> bool:
        """Return False, because nobody can sign terms with a condition."""
        return False

    @property
    def is_on_paper(self) -> bool:
        """Return whether the party signed on paper and somebody recorded the signature here."""
        return self.how == SigningMethod.PAPER

    @property
    def version_number(self) -> int:
        """Return the number of the version. Fetch `version` with the signature."""
        return self.version.number


class TermsInForceQuerySet(models.QuerySet["TermsInForce"]):
    """Filters for entries by day."""

    def in_force_on(self, day: dt.date) -> TermsInForceQuerySet:
        """Return, for each partnership, the entry in force on a day."""
        return (
            self.filter(from_day__lte=day)
            .order_by("partnership", "-from_day", "-decided_at", "-pk")
            .distinct("partnership")
        )


class TermsInForce(models.Model):
    """An entry that puts a version in force from a day on. Entries are append-only.

    On any day, the entry with the latest `from_day` up to that day applies. Of two entries for the same day, the one
    that was decided later applies.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="terms_in_force")
    version = models.ForeignKey(TermsVersion, on_delete=models.PROTECT, related_name="in_force")
    from_day = models.DateField()
    decided_at = models.DateTimeField()

    objects = TermsInForceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "terms in force"
        indexes = [models.Index(fields=["partnership", "-from_day", "-id"], name="terms_in_force_by_day")]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.version_id} from {self.from_day}"

    @property
    def has_begun(self) -> bool:
        """Return whether the first day is today or earlier."""
        return self.from_day <= timezone.localdate()
