"""Models of a provider's quarterly returns of lettings, and of the council's decisions about them."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import PartyStatus
from partnerships.kit.addresses import page_address
from partnerships.kit.leased_jobs import LeasedJob
from partnerships.nominations.lettings.counting import LineResult
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models.agreement import NominationsAgreement
from partnerships.nominations.schedule import Bedrooms, size_and_let_in_words
from partnerships.organisations.audience import Organisations, Route, visible_to
from partnerships.people.models import User


class ReturnStatus(models.TextChoices):
    """The status of a return.

    draft → sent → settled, or disputed → sent again; settled → reopened → sent again.

    The provider may change draft, disputed and reopened returns. A sent return waits for the council. Once the council
    has confirmed every line, the return is settled, and a record of it is stored. Either side may reopen it.
    """

    DRAFT = "draft", "Draft"
    SENT = "sent", "Waiting for the council"
    DISPUTED = "disputed", "Disputed"
    SETTLED = "settled", "Confirmed"
    REOPENED = "reopened", "Being corrected"


#: Statuses in which the provider can change a return.
WRITABLE_STATUSES = (ReturnStatus.DRAFT, ReturnStatus.DISPUTED, ReturnStatus.REOPENED)


#: Routes to people of the council and the provider, while these take part.
READERS: tuple[Route, ...] = tuple(
    Organisations(f"agreement__{side}__organisation", when=Q(**{f"agreement__{side}__status": PartyStatus.ACCEPTED}))
    for side in ("council", "provider")
)


class ReturnQuerySet(models.QuerySet["NominationsReturn"]):
    """Filters for nominations returns by reader.

    Figures may be read only while data-sharing terms are in force, which `rights_over` checks.
    """

    def visible_to(self, user: User | AnonymousUser) -> ReturnQuerySet:
        """Return the returns whose council or provider the person acts for."""
        return self.filter(visible_to(NominationsReturn, READERS, user))

    def for_pages(self) -> ReturnQuerySet:
        """Fetch the agreement, partnership, council, provider and run, but not the run's lettings."""
        return self.select_related(
            "agreement__partnership", "agreement__council__organisation", "agreement__provider__organisation", "run"
        ).defer("run__content")


@pghistory.track()
class NominationsReturn(models.Model):
    """A provider's return for one quarter, with the homes that the provider let under an agreement.

    `ReturnStatus` describes how a return is sent, disputed and settled. An agreement has one return for a quarter. The
    database guarantees that a settled return was sent and confirmed.
    """

    agreement = models.ForeignKey(NominationsAgreement, on_delete=models.PROTECT, related_name="returns")
    starts_on = models.DateField(help_text="The first day of the quarter.")
    status = models.CharField(max_length=8, choices=ReturnStatus, default=ReturnStatus.DRAFT)

    #: How often the return was sent, so that the council cannot decide about figures that were replaced.
    sendings = models.PositiveSmallIntegerField(default=0)
    confirmations = models.PositiveSmallIntegerField(default=0)
    #: Why the return was last reopened.
    correction = models.TextField(blank=True)

    begun_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = ReturnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "starts_on"], name="unique_return_per_quarter"),
            models.CheckConstraint(
                condition=Q(starts_on__day=1, starts_on__month__in=[1, 4, 7, 10]), name="return_starts_with_quarter"
            ),
            models.CheckConstraint(
                condition=Q(status="settled", settled_at__isnull=False, confirmations__gt=0)
                | ~Q(status="settled") & Q(settled_at=None),
                name="settled_return_has_time_and_confirmations",
            ),
            models.CheckConstraint(
                condition=Q(status="draft") | Q(sendings__gt=0, sent_at__isnull=False), name="sent_return_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"Return {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the return's page. The return should be fetched with `for_pages`."""
        return page_address("nominations:return", self.agreement.partnership_id, self.pk)

    @property
    def quarter(self) -> Quarter:
        """Return the quarter of the return."""
        return Quarter(self.starts_on)

    @property
    def is_writable(self) -> bool:
        """Return whether the provider can change the return."""
        return self.status in WRITABLE_STATUSES

    @property
    def is_sent(self) -> bool:
        """Return whether the return waits for the council's decision."""
        return self.status == ReturnStatus.SENT

    @property
    def is_disputed(self) -> bool:
        """Return whether the council disputes any line."""
        return self.status == ReturnStatus.DISPUTED

    @property
    def is_reopened(self) -> bool:
        """Return whether the provider is correcting the return after it was confirmed."""
        return self.status == ReturnStatus.REOPENED

    @property
    def is_settled(self) -> bool:
        """Return whether the council has confirmed every line."""
        return self.status == ReturnStatus.SETTLED


class LettingsRun(LeasedJob):
    """An upload of lettings for a worker to count.

    waiting → claimed → finished or failed

    When the worker has finished or failed, the uploaded rows (`content`) are deleted.
    """

    nominations_return = models.OneToOneField(NominationsReturn, on_delete=models.CASCADE, related_name="run")

    # The uploaded file.
    file_name = models.CharField(max_length=120)
    columns = models.JSONField(default=list, editable=False)
    #: The kept rows, compressed, until they are counted.
    content = models.BinaryField(null=True, editable=False)

    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    # What the worker found.
    finished_at = models.DateTimeField(null=True, blank=True)
    #: The rows of each outcome, the rows of the quarter by authority, and so on (`services.lettings`).
    report = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(content=None) | Q(finished_at=None, error=""), name="finished_lettings_run_has_no_content"
            )
        ]
        indexes = [
            models.Index(fields=["asked_at", "id"], name="lettings_run_waiting", condition=Q(content__isnull=False))
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"

    @property
    def is_running(self) -> bool:
        """Return whether the upload waits for a worker or is being counted."""
        return self.finished_at is None and not self.error


class Decision(models.TextChoices):
    """The council's decision on a line."""

    CONFIRMED = "confirmed", "Confirmed"
    DISPUTED = "disputed", "Disputed"


@pghistory.track()
class ReturnLine(models.Model):
    """The lettings of homes of one size in a return, either first lets or relets, with the agreed share.

    Only lettings of true voids are counted. The provider adds offers and refusals, and for how many vacancies the
    council named a nominee in time. Then the council confirms or disputes the line. Older lines have no `days`.
    """

    nominations_return = models.ForeignKey(NominationsReturn, on_delete=models.CASCADE, related_name="lines")

    # What the line counts.
    bedrooms = models.CharField(max_length=6, choices=[(size.value, size.label) for size in Bedrooms])
    is_first_let = models.BooleanField()

    # Counted from the uploaded lettings.
    lettings = models.PositiveIntegerField()
    nominated = models.PositiveIntegerField()
    median_days = models.DecimalField(max_digits=6, decimal_places=1, null=True, blank=True)

    share = models.DecimalField(max_digits=7, decimal_places=4, help_text="Agreed share of nominees, in per cent.")

    # Entered by the provider.
    offers = models.PositiveIntegerField(null=True, blank=True)
    not_supplied = models.PositiveIntegerField(default=0, help_text="Vacancies without a nominee in time.")
    in_time = models.PositiveIntegerField(null=True, blank=True, help_text="Vacancies with a nominee in time.")
    days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Working days agreed for naming a nominee."
    )

    # The council's decision.
    decision = models.CharField(max_length=9, choices=Decision, blank=True)
    reason = models.TextField(blank=True, help_text="Why the council last disputed the line.")
    answer = models.TextField(blank=True, help_text="What the provider answered to the dispute.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["nominations_return", "bedrooms", "is_first_let"], name="unique_return_line_per_size_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(lettings__gte=F("nominated") + F("not_supplied")), name="return_line_counts_within_lettings"
            ),
            models.CheckConstraint(
                condition=Q(in_time=None) | Q(lettings__gte=F("in_time") + F("not_supplied")),
                name="return_line_in_time_within_lettings",
            ),
            models.CheckConstraint(
                condition=~Q(decision="disputed") | ~Q(reason=""), name="disputed_return_line_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.words} of return {self.nominations_return_id}"

    @property
    def size(self) -> Bedrooms:
        """Return the size of the homes."""
        return Bedrooms(self.bedrooms)

    @property
    def words(self) -> str:
        """Return the name of the line, such as "First lets, 2 bedrooms"."""
        return size_and_let_in_words(self.size, first_let=self.is_first_let)

    @property
    def result(self) -> LineResult:
        """Return the line compared with its agreed share."""
        return LineResult(self.lettings, self.nominated, self.not_supplied, self.share)

    @property
    def counted(self) -> tuple[Any, ...]:
        """Return the figures about which the council decides, except refusals.

        If one of them changes, the council must decide again.
        """
        return (
            self.lettings,
            self.nominated,
            self.not_supplied,
            self.in_time,
            self.median_days,
            self.offers,
            self.share,
            self.days,
        )


@pghistory.track()
class Refusal(models.Model):
    """The number of nominees who were refused, or refused an offer, on one ground."""

    line = models.ForeignKey(ReturnLine, on_delete=models.CASCADE, related_name="refusals")
    ground = models.CharField(max_length=300)
    number = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "ground"], name="unique_refusal_per_ground"),
            models.CheckConstraint(condition=Q(number__gt=0), name="refusal_number_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.number} refusals of line {self.line_id}"
