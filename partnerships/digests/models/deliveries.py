"""Emails of this app in the outbox, the plans in each, and limits on digests that are still to be sent."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from partnerships.digests.models.subscriptions import Subscription
from partnerships.digests.models.watermarks import Watermark
from partnerships.kit.addresses import page_address
from partnerships.outbox.models import UNSETTLED_STATUSES, EmailReason, EmailStatus
from partnerships.people.models import User
from partnerships.plans.models import Plan


class DeliveryKind(models.TextChoices):
    """The kinds of email that this room sends."""

    DIGEST = "digests.digest", "Digest"
    CONFIRMATION = "digests.confirmation", "Confirmation email"
    LINKS = "digests.links", "New links"
    SUCCESSION = "digests.succession", "What a succession changed"


class DeliveryManager(models.Manager["Delivery"]):
    """The emails in the outbox that this room sends."""

    def get_queryset(self) -> models.QuerySet[Delivery]:
        """Return the emails of the kinds of this room."""
        return super().get_queryset().filter(kind__in=DeliveryKind.values)


class Delivery(models.Model):
    """An email of this room with its recipient, as a row of a read-only database view of `outbox.models.Email`.

    `EmailStatus` describes the states. `params` contains the values from which the email is composed, such as the
    subscription to confirm.
    """

    # The foreign keys of a view have no constraints. Django never deletes its rows, which disappear with the outbox's.
    recipient = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="deliveries", db_column="person_id", db_constraint=False
    )
    kind = models.CharField(max_length=40, choices=DeliveryKind)
    params = models.JSONField()
    subscription = models.ForeignKey(
        Subscription, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )

    # The message and its status.
    message_id = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=EmailStatus)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=400)
    recipe = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField()
    in_doubt = models.BooleanField()
    available_at = models.DateTimeField()
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)
    reason_code = models.CharField(max_length=20, choices=EmailReason)
    repeat_of_id = models.BigIntegerField(null=True)
    bounced = models.BooleanField(help_text="Whether the email bounced.")

    objects = DeliveryManager()

    class Meta:
        managed = False
        db_table = "digests_delivery"
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return self.subject or f"Delivery {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the path of the email's page in the ledger."""
        return page_address("digests:entry", self.pk)

    @property
    def is_open(self) -> bool:
        """Return True if the email is still to be sent."""
        return self.status in UNSETTLED_STATUSES

    @property
    def is_sent(self) -> bool:
        """Return True if a mail server accepted the email and it did not bounce."""
        return self.status == EmailStatus.SENT and not self.bounced

    @property
    def status_label(self) -> str:
        """Return the label of the status; "Bounced" for a settled email that bounced."""
        if self.bounced and not self.is_open:
            return "Bounced"
        return self.get_status_display()

    @property
    def has_stored_message(self) -> bool:
        """Return True if the message as sent is still stored."""
        return self.recipe is not None

    @property
    def can_be_sent_again(self) -> bool:
        """Return True if a person may send the email again."""
        return self.kind == DeliveryKind.DIGEST and self.status in (EmailStatus.FAILED, EmailStatus.SENT)


class Slot(models.Model):
    """A date, in the person's own time zone, that has their one scheduled digest.

    The row is written together with the email. A trigger deletes it if the digest turns out to be empty.
    """

    # The index of the unique constraint begins with the recipient, so this field needs no index.
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    slot_on = models.DateField()
    email_id = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "slot_on"], name="unique_digest_per_date")]

    def __str__(self) -> str:
        return f"{self.recipient_id} on {self.slot_on}"


class OpenDigest(models.Model):
    """A digest that is still to be sent.

    The unique constraint permits one such digest for each person, and one repeat of each email. A trigger deletes the
    row when the email is settled.
    """

    # The index of the unique constraint begins with the recipient, so this field needs no index.
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    repeat_of_id = models.BigIntegerField(default=0, db_default=0, help_text="The digest that this one repeats, or 0.")
    email_id = models.BigIntegerField(unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "repeat_of_id"], name="unique_open_digest")]

    def __str__(self) -> str:
        return f"Digest {self.email_id} to {self.recipient_id}"


class DeliveryItemQuerySet(models.QuerySet["DeliveryItem"]):
    """Filters for items by whether their email includes them."""

    def included(self) -> DeliveryItemQuerySet:
        """Return the items that are included in their email."""
        return self.filter(left_out="")


class DeliveryItem(models.Model):
    """A plan in a digest, with its changes from one version to another, as a reader of one class may read them.

    If the plan could not be included when the email was composed, `left_out` contains the reason.
    """

    # `Delivery` is a database view, so no constraint can refer to it, and Django must not change its rows. The index of
    # the unique constraint begins with the delivery, so this field needs no index.
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, related_name="items", db_index=False, db_constraint=False
    )
    # A constraint is not needed, because a trigger prevents published versions, and so their plans, from being deleted.
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    from_number = models.PositiveIntegerField()
    to_number = models.PositiveIntegerField()
    reading_class = models.CharField(max_length=8, choices=Watermark.Reading)
    left_out = models.CharField(
        max_length=100,
        blank=True,
        db_default="",
        help_text="Why the email leaves this plan out. Empty if the email includes it.",
    )

    objects = DeliveryItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "plan"], name="unique_delivery_item_per_plan"),
            models.CheckConstraint(condition=Q(to_number__gte=F("from_number")), name="delivery_item_numbers_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.from_number} to {self.to_number}"


#: Selects the people who have a digest still to be sent, not counting repeats.
OPEN_DIGEST_RECIPIENTS_SQL = "SELECT o.recipient_id FROM digests_opendigest o WHERE o.repeat_of_id = 0"
