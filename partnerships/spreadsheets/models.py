"""Spreadsheets that partners upload, and the headings that they confirmed."""

from __future__ import annotations

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Partnership
from partnerships.kit.addresses import page_address
from partnerships.kit.leased_jobs import LeasedJob
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan


class Kind(models.TextChoices):
    """The kind of record in the rows of a spreadsheet."""

    SITES = "sites", "Sites"
    HOMES = "homes", "Homes"
    MILESTONES = "milestones", "Milestones"
    STAKEHOLDERS = "stakeholders", "Stakeholders"
    COMMITMENTS = "commitments", "Commitments"
    ENTRIES = "entries", "Asks and offers"
    CONTACTS = "contacts", "Contacts"
    RECOMMENDATIONS = "recommendations", "Recommendations"


class Status(models.TextChoices):
    """The status of an upload: unread → unchecked → previewed → waiting → applied. It can also be discarded.

    An unread upload waits for a person to match its headings. If all headings are recognised, the upload begins as
    unchecked. A worker checks unchecked uploads and imports waiting ones. Small uploads are checked and imported at
    once.
    """

    UNREAD = "unread", "Headings to be matched"
    UNCHECKED = "unchecked", "Being checked"
    PREVIEWED = "previewed", "Waiting to be imported"
    WAITING = "waiting", "Being imported"
    APPLIED = "applied", "Imported"
    DISCARDED = "discarded", "Discarded"


#: Statuses in which a worker has to check or import the upload.
IN_PROGRESS_STATUSES = (Status.UNCHECKED, Status.WAITING)
#: Final statuses. The file has been deleted.
FINAL_STATUSES = (Status.APPLIED, Status.DISCARDED)


class UploadQuerySet(models.QuerySet["Upload"]):
    """Filters for uploads by reader."""

    def visible_to(self, user: User | AnonymousUser) -> UploadQuerySet:
        """Return only the person's own uploads, because a file may contain more than their colleagues may see."""
        return self.filter(by=user) if user.is_authenticated else self.none()

    def for_listing(self) -> UploadQuerySet:
        """Fetch the records that pages show, but not the files."""
        return self.defer("content").select_related("plan", "partnership", "organisation", "by")


class Upload(LeasedJob):
    """A spreadsheet that a person uploaded for a plan, a partnership or an organisation.

    `Status` describes how an upload is checked and imported. If a worker dies, another one starts after
    `claimed_until`. `error` says why nothing was imported.
    """

    kind = models.CharField(max_length=16, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.UNCHECKED)

    # The record that the rows are about.
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The organisation that the rows are about, or that its author acts for in the partnership.",
    )
    site = models.CharField(max_length=100, blank=True, help_text="The key of the site that all rows are about.")

    # The file, and how to read it.
    file_name = models.CharField(max_length=300)
    all_or_nothing = models.BooleanField(default=False)
    headings = models.JSONField(default=dict, help_text="For each heading that a person chose, the code of its column.")
    #: What the import changed or, while it is a preview, would change.
    report = models.JSONField(default=dict)
    #: The file, until it is imported or discarded.
    content = models.BinaryField(null=True, editable=False)
    #: The revision of the records when the preview was made.
    seen = models.PositiveIntegerField(default=0)

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["by", "-started_at", "-id"], name="upload_of_person"),
            models.Index(
                fields=["started_at", "id"],
                name="upload_in_progress",
                condition=Q(status__in=["unchecked", "waiting"], error=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(plan__isnull=False) | Q(partnership__isnull=False) | Q(organisation__isnull=False),
                name="upload_has_record",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["applied", "discarded"]) | Q(content=None),
                name="finished_upload_has_no_content",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.file_name}"

    def get_absolute_url(self) -> str:
        """Return the URL of the upload's page."""
        return page_address("spreadsheets:upload", self.pk)

    @property
    def record(self) -> str:
        """Return the kind of record that the upload is for, which is plan, partnership or organisation."""
        if self.plan_id:
            return "plan"
        return "partnership" if self.partnership_id else "organisation"

    @property
    def record_id(self) -> int | None:
        """Return the primary key of the record that the upload is for."""
        return self.plan_id or self.partnership_id or self.organisation_id

    @property
    def is_at_work(self) -> bool:
        """Return whether a worker checks or imports the upload, or will soon."""
        return self.status in IN_PROGRESS_STATUSES and not self.error

    @property
    def is_over(self) -> bool:
        """Return whether the upload was imported or discarded."""
        return self.status in FINAL_STATUSES

    @property
    def is_unread(self) -> bool:
        """Return whether a person has to match the headings with columns."""
        return self.status == Status.UNREAD

    @property
    def is_previewed(self) -> bool:
        """Return whether a person can import the upload now, for the first time or again after an error."""
        return self.status == Status.PREVIEWED or (self.status == Status.WAITING and bool(self.error))

    @property
    def is_applied(self) -> bool:
        """Return whether the upload was imported."""
        return self.status == Status.APPLIED


@pghistory.track()
class OwnHeading(models.Model):
    """A heading in an organisation's spreadsheets, and the column that a person chose for it."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    heading = models.CharField(max_length=120, help_text="The heading without case, spaces and punctuation.")
    column = models.CharField(max_length=40, help_text="The code of the column.")
    confirmed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "heading"], name="unique_own_heading_per_organisation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.heading}"
