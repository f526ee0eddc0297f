"""Models of imported files, their headings and jobs, and rows that match no organisation with certainty."""

from __future__ import annotations

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from partnerships.housing_figures.measures import SERIES_LABELS, Series
from partnerships.kit.leased_jobs import LeasedJob
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User


class Register(models.TextChoices):
    """The published list that an import run imports, or a network file."""

    COUNCILS = "councils", "Councils and combined authorities"
    LEPS = "leps", "Local Enterprise Partnerships"
    PROVIDERS = "providers", "Registered providers"
    COMBINED_AUTHORITIES = "combined-authorities", "Combined authorities and their districts"
    COUNCIL_NAMES = "council-names", "Other names and codes of councils"
    COUNCIL_CHANGES = "council-changes", "Changes of councils"
    LOCAL_PLANS = "local-plans", "Local plans and their timetables"
    PLAN_DOCUMENTS = "plan-documents", "Documents of local plans"
    PLAN_PROGRESS = "plan-progress", "Progress of local plans (Planning Inspectorate)"
    CODE_LISTS = "code-lists", "Code lists"
    DEVELOPER_AGREEMENTS = "developer-agreements", "Developer agreements"
    BROWNFIELD_LAND = "brownfield-land", "Brownfield land"
    DELIVERY_TEST = Series.DELIVERY_TEST.value, SERIES_LABELS[Series.DELIVERY_TEST]
    NET_ADDITIONS = Series.NET_ADDITIONS.value, SERIES_LABELS[Series.NET_ADDITIONS]
    AFFORDABLE_SUPPLY = Series.AFFORDABLE_SUPPLY.value, SERIES_LABELS[Series.AFFORDABLE_SUPPLY]
    WAITING_LISTS = Series.WAITING_LISTS.value, SERIES_LABELS[Series.WAITING_LISTS]
    REQUIREMENTS = Series.REQUIREMENTS.value, SERIES_LABELS[Series.REQUIREMENTS]
    NETWORK = "network", "A network file"


#: Registers of organisations. Each is one file.
ORGANISATION_REGISTERS = (Register.COUNCILS, Register.LEPS, Register.PROVIDERS, Register.COMBINED_AUTHORITIES)
#: Lists of one file that only add to the directory and to plans.
SIMPLE_REGISTERS = (
    Register.COUNCIL_NAMES,
    Register.COUNCIL_CHANGES,
    Register.PLAN_DOCUMENTS,
    Register.PLAN_PROGRESS,
    Register.CODE_LISTS,
)
#: Files of the planning data standards. An authority's staff may upload their own.
OWN_REGISTERS = (Register.LOCAL_PLANS, Register.DEVELOPER_AGREEMENTS, Register.BROWNFIELD_LAND)
#: Registers of published figures about homes. Each is one file.
FIGURE_REGISTERS = (
    Register.DELIVERY_TEST,
    Register.NET_ADDITIONS,
    Register.AFFORDABLE_SUPPLY,
    Register.WAITING_LISTS,
    Register.REQUIREMENTS,
)
#: Lists that administrators upload.
UPLOADED = (*ORGANISATION_REGISTERS, *OWN_REGISTERS, *SIMPLE_REGISTERS, *FIGURE_REGISTERS)


class RunStatus(models.TextChoices):
    """The status of an import.

    checking → unread → previewed → applied or discarded

    A checking run waits for a worker to read its file. An unread run waits for a person to match its headings; runs
    whose headings are all known skip that status. A run from the command line is applied at once.
    """

    CHECKING = "checking", "Waiting to be checked"
    UNREAD = "unread", "Headings to be matched"
    PREVIEWED = "previewed", "Waiting to be applied"
    APPLIED = "applied", "Applied"
    DISCARDED = "discarded", "Discarded"


#: Statuses in which the file is still to be applied or discarded.
WAITING_STATUSES = (RunStatus.CHECKING, RunStatus.UNREAD, RunStatus.PREVIEWED)


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    """Filters for import runs by person."""

    def of_person(self, user: User | AnonymousUser) -> ImportRunQuerySet:
        """Return the imports of organisations' own files that this editor or lead of the organisation may see."""
        return self.filter(organisation__in=Organisation.objects.of_person(user, *EDITING_ROLES))


class ImportRun(models.Model):
    """One imported file, and what the import changed or, while it is a preview, would change.

    The counts are numbers of organisations, plans or agreements. `content` holds the file until the preview is applied
    or discarded.
    """

    register = models.CharField(max_length=24, choices=Register)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.APPLIED)

    # The file.
    file_name = models.CharField(max_length=300)
    sha256 = models.CharField("SHA-256", max_length=64)
    publisher = models.CharField(max_length=120, blank=True)
    as_of = models.DateField(null=True, blank=True, help_text="The date of the list.")

    # What the import changed, as numbers of rows.
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)
    left_alone = models.PositiveIntegerField("left as they were", default=0)
    joined = models.PositiveIntegerField("matched to a known organisation", default=0)
    missing = models.PositiveIntegerField("not in the list", default=0)
    returned = models.PositiveIntegerField("in the list again", default=0)
    undecided = models.PositiveIntegerField("rows to review", default=0)
    set_aside = models.PositiveIntegerField("rows that could not be used", default=0)

    report = models.JSONField(default=dict)
    content = models.BinaryField(null=True, editable=False)

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The organisation that uploaded its own files. Empty if an administrator uploaded them.",
    )

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["register", "-started_at", "-id"], name="import_run_register"),
            models.Index(fields=["organisation", "-started_at", "-id"], name="import_run_of_organisation"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["checking", "unread", "previewed"]) | Q(content=None),
                name="finished_import_has_no_content",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_register_display()}: {self.file_name}"

    @property
    def bodies(self) -> int:
        """Return the number of organisations, plans or agreements in the file."""
        return self.created + self.changed + self.closed + self.left_alone + self.joined + self.undecided

    @property
    def is_waiting(self) -> bool:
        """Return whether the file has been neither applied nor discarded."""
        return self.status in WAITING_STATUSES

    @property
    def is_unchecked(self) -> bool:
        """Return whether no worker has read the file yet."""
        return self.status == RunStatus.CHECKING

    @property
    def is_unread(self) -> bool:
        """Return whether a person must match the headings of the file with columns before the import goes on."""
        return self.status == RunStatus.UNREAD

    @property
    def is_previewed(self) -> bool:
        """Return whether the import has been checked, and a person may apply or discard it."""
        return self.status == RunStatus.PREVIEWED


@pghistory.track()
class KnownHeading(models.Model):
    """What a heading means in the lists of one publisher, as a person has confirmed."""

    register = models.CharField(max_length=24, choices=Register)
    publisher = models.CharField(max_length=120)
    heading = models.CharField(max_length=120, help_text="The heading in lower case, without spaces and punctuation.")
    column = models.CharField(max_length=40, help_text="The code of the column.")
    confirmed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["register", "publisher", "heading"], name="unique_heading_per_publisher"),
        ]

    def __str__(self) -> str:
        return f"{self.publisher}: {self.heading}"


class ImportJob(LeasedJob):
    """A worker's job to check a list or to import a previewed one. It is deleted once it succeeds."""

    run = models.OneToOneField(ImportRun, on_delete=models.CASCADE, related_name="job")
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    accept_missing = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["asked_at", "id"], name="import_job_waiting", condition=Q(error=""))]

    def __str__(self) -> str:
        return f"Job {self.pk}"


class Answer(models.TextChoices):
    """What a person may decide about a row to review."""

    THIS = "this", "The row is about an organisation that is already in the directory"
    NEW = "new", "The row is about a new organisation"
    LEAVE_OUT = "leave_out", "Leave the row out"


@pghistory.track()
class Doubt(models.Model):
    """A row of a list that matches no organisation with certainty. It is open until a person answers.

    There is one row for a register and a key. Later imports of the register use the answer for rows with the same key.
    """

    # The row.
    register = models.CharField(max_length=24, choices=Register)
    key = models.CharField(max_length=80, help_text="The key of the row in the list.")
    name = models.CharField(max_length=300)
    row = models.JSONField(help_text="The fields of the row when it was read.")
    why = models.TextField()
    candidates = models.ManyToManyField(Organisation, blank=True, related_name="+")
    run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="doubts")

    # What a person decided.
    answer = models.CharField(max_length=10, choices=Answer, blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "row to review"
        verbose_name_plural = "rows to review"
        constraints = [
            models.UniqueConstraint(fields=["register", "key"], name="unique_doubt_per_row"),
            models.CheckConstraint(
                condition=Q(answer="this", organisation__isnull=False)
                | Q(answer="new")
                | Q(answer__in=["", "leave_out"], organisation=None),
                name="doubt_answer_fits_organisation",
            ),
        ]
        indexes = [models.Index(fields=["answer", "register", "name"], name="doubt_listing")]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    @property
    def is_open(self) -> bool:
        """Return whether the row has no answer yet."""
        return not self.answer

    @property
    def is_left_out(self) -> bool:
        """Return whether the answer is to ignore the row."""
        return self.answer == Answer.LEAVE_OUT
