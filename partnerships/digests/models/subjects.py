"""How far each follower has been notified about each subject, and the subjects in each digest.

A subject is a record that people follow, such as a partnership (see `activity.Subject`); its changes are numbered. A
watermark is the number of the last change about which a person has been notified.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from partnerships.activity.models import Subject
from partnerships.digests.models.deliveries import Delivery
from partnerships.digests.models.subscriptions import ChangeFilter, Subscription
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class SubjectWatermark(models.Model):
    """The change of a subject after which a person's next digest begins.

    There is one row for a person and a subject. When there are newer changes, the row becomes due. The digest that
    includes them raises `number`. For example, Amina's row has the number 7 after a digest with the changes 5 to 7, so
    her next digest begins with change 8. `Watermark` is the same for plans.
    """

    # These need no indexes, because the unique constraint and `watermark_of_subject` have indexes that begin with them.
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="+", db_index=False)
    #: The last change that the person received or, when they begin to follow the subject, its newest change. Changes
    #: that the person did not choose or may not read are skipped in the same way.
    number = models.PositiveIntegerField()
    told_at = models.DateTimeField()

    # These three are set while newer changes wait for a digest. `Watermark` explains them.
    waiting_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    slotted = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "subject"], name="unique_watermark_per_subject")]
        indexes = [
            models.Index(fields=["due_at"], name="subject_watermark_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["subject", "number"], name="watermark_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id} was told {self.subject_id} up to {self.number}"


class SubjectNews(models.Model):
    """A subject that has changed, until its followers are marked as waiting for news of the subject.

    The database adds a row for every change (`activity.Change`), in the same transaction.
    """

    # Every change writes to this queue, so an index and a constraint would slow down all writes.
    subject = models.ForeignKey(
        Subject, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    def __str__(self) -> str:
        return f"News of {self.subject_id}"


class DeliverySubjectQuerySet(models.QuerySet["DeliverySubject"]):
    """Filters for subjects in digests by whether their email includes them."""

    def included(self) -> DeliverySubjectQuerySet:
        """Return the subjects that are included in their email."""
        return self.filter(left_out="")


class DeliverySubject(models.Model):
    """A subject in a digest, with its changes after `from_number` and up to `to_number`.

    If the subject could not be included when the email was composed, `left_out` contains the reason.
    """

    # `Delivery` is a database view, so no constraint can refer to it, and Django must not change its rows.
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, related_name="subjects", db_index=False, db_constraint=False
    )
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    from_number = models.PositiveIntegerField()
    to_number = models.PositiveIntegerField()
    told = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        help_text="The events that the digest includes. Others in between were not chosen, not for this reader, or "
        "reported elsewhere.",
    )
    left_out = models.CharField(
        max_length=100,
        blank=True,
        db_default="",
        help_text="Why the email leaves this subject out. Empty if the email includes it.",
    )

    objects = DeliverySubjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "subject"], name="unique_delivery_item_per_subject"),
            models.CheckConstraint(
                condition=Q(to_number__gte=F("from_number")), name="delivery_subject_numbers_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id}: {self.from_number} to {self.to_number}"


class SubjectFollowing(models.Model):
    """A person who follows a subject by a confirmed subscription.

    This is a database view. It has a row for each subscription by which a person follows a subject: to the subject
    itself (`rank` 1), or to an organisation of the partnership that is the subject (2). If the person refused a
    partnership, earlier subscriptions to its organisations do not include it.
    """

    # `DO_NOTHING`, because rows of a view disappear with the rows of its tables, and Django cannot delete them.
    subscription = models.OneToOneField(Subscription, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    person = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    subject = models.ForeignKey(Subject, on_delete=models.DO_NOTHING, related_name="+")
    how = models.CharField(max_length=4)
    added_for = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, null=True, related_name="+")
    frequency = models.CharField(max_length=8)
    hears = models.CharField(max_length=10, choices=ChangeFilter)
    confirmed_at = models.DateTimeField()
    rank = models.SmallIntegerField()

    class Meta:
        managed = False
        db_table = "digests_subjectfollowing"

    def __str__(self) -> str:
        return f"{self.person_id} follows {self.subject_id}"
