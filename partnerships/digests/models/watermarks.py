"""Which version of each plan each person was last told about, and the published versions still to announce."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from partnerships.people.models import User
from partnerships.plans.models import Plan


class Watermark(models.Model):
    """The last version of a plan that a person has been told about. Their next digest begins after it.

    For example, Amina's digest told her about version 2. When version 4 is published, her row becomes due, and her next
    digest says what changed from version 2 to 4. Sending it sets `number` to 4. A version that a person may not read
    does not make their row due.
    """

    class Reading(models.TextChoices):
        """How much of the plan the person could read."""

        INSIDE = "inside", "Everything"
        OUTSIDE = "outside", "Everything except confidential parts"
        NONE = "none", "Nothing"

    # These need no indexes, because the unique constraint and `watermark_of_plan` have indexes that begin with them.
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="watermarks", db_index=False)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="watermarks", db_index=False)
    #: The number of the version that the person was last told about. A new follower begins with the current version. It
    #: is 0 for a plan that is new to the person.
    number = models.PositiveIntegerField()
    #: How much of that version the person could read then. If it is `none` and the person gains access later, the next
    #: digest does not report the whole plan as a change.
    reading_class = models.CharField(max_length=8, choices=Reading)
    #: When `number` was last set.
    told_at = models.DateTimeField()

    #: Since when a newer version has been waiting for a digest; None if there is none.
    waiting_since = models.DateTimeField(null=True, blank=True)
    #: When the person's next digest with news of the plan is due; None if there is no news to send.
    due_at = models.DateTimeField(null=True, blank=True)
    #: Whether `due_at` is the hour of the day that the person chose, and not a delay after the change.
    slotted = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "plan"], name="unique_watermark_per_plan")]
        indexes = [
            models.Index(fields=["due_at"], name="watermark_due", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["recipient", "plan"], name="watermark_without_access", condition=Q(reading_class="none")
            ),
            models.Index(fields=["plan", "number"], name="watermark_of_plan"),
            models.Index(fields=["told_at", "id"], name="watermark_unreadable", condition=Q(reading_class="none")),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id} received {self.plan_id} up to {self.number}"


class Publication(models.Model):
    """A published version. `spread_at` says when its followers were marked as waiting for it.

    The row is written in the transaction that publishes the version, so that no version is lost if the broker is down.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    available_at = models.DateTimeField(
        help_text="When to work out who gets the version: at once, and again when an embargo ends."
    )
    #: When the followers were marked. This is stored for each version and not once for the plan, because transactions
    #: may commit in another order than versions are numbered.
    spread_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="unique_publication_per_version")]
        indexes = [models.Index(fields=["available_at"], name="publication_waiting", condition=Q(spread_at=None))]

    def __str__(self) -> str:
        return f"{self.plan_id} version {self.number}"
