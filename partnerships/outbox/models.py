"""Emails, bounces, suppressed addresses, throttling counts, and what must be remembered after a restore."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

#: How long the message as sent is stored.
BODY_RETENTION = dt.timedelta(days=30)
#: How long the address, the subject and the server's reply are stored.
ADDRESS_RETENTION = dt.timedelta(days=365)
#: How many years the row of an email is stored. The function `outbox_drop_partitions` in the database has the same
#: number (migration 0002), and a test compares them.
ROW_RETENTION_YEARS = 3


class Lane(models.IntegerChoices):
    """The order in which emails are sent. One sender is reserved for account emails."""

    ACCOUNT = 0, "Account"
    NOTICE = 1, "Notice"
    DIGEST = 2, "Digest"


class EmailStatus(models.TextChoices):
    """The status of an email: queued → sending → sent, failed, suppressed or dropped.

    An email returns from sending to queued when its lease ends or its sender releases it.
    """

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    SUPPRESSED = "suppressed", "Not sent"
    DROPPED = "dropped", "No longer needed"


#: Statuses of emails that are not settled.
UNSETTLED_STATUSES = (EmailStatus.QUEUED, EmailStatus.SENDING)


class EmailReason(models.TextChoices):
    """Codes of reasons why an email was not sent, for programs. `Email.reason` is the text for people."""

    NOT_COMPOSED = "not_composed", "The email could not be written"
    MAY_HAVE_ARRIVED = "may_have_arrived", "The email may have arrived"

    def in_full(self, detail: str) -> str:
        """Return the label with details, which the ledger shows as the reason."""
        return f"{self.label}: {detail}"[:500]


class EmailQuerySet(models.QuerySet["Email"]):
    """Filters for emails by whether they are settled."""

    def unsettled(self) -> EmailQuerySet:
        """Return the emails that are queued or being sent."""
        return self.filter(status__in=UNSETTLED_STATUSES)

    def settled(self) -> EmailQuerySet:
        """Return the emails that are sent, failed, suppressed or dropped."""
        return self.filter(settled_at__isnull=False)


class Email(models.Model):
    """One email to one person or address, recorded in the transaction that causes it.

    The table is partitioned by month. The id of an email begins with its month, so that a look-up by id reads only one
    partition. A trigger prevents changes of `lane`, `kind`, `person_id` and `created_at`, and of settled emails, except
    that personal data is cleared.
    """

    # What the email is about, and for whom. These fields are the input of its composer.
    lane = models.PositiveSmallIntegerField(choices=Lane)
    #: The code of the kind, whose composer writes the email from `params`.
    kind = models.CharField(max_length=40)
    person_id = models.BigIntegerField(null=True, help_text="The recipient. Empty for an address without a person.")
    sender_id = models.BigIntegerField(
        null=True, help_text="The organisation on whose behalf we send the email. Its leads can see the status."
    )
    params = models.JSONField(default=dict, help_text="The ids and codes from which the email is composed.")
    secrets = models.JSONField(
        null=True, blank=True, help_text="Secret parameters, for example a token. Deleted once the email is settled."
    )

    # The message as it was sent.
    status = models.CharField(max_length=10, choices=EmailStatus, default=EmailStatus.QUEUED)
    message_id = models.CharField(max_length=120, blank=True)
    address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=400, blank=True)
    #: The message as it was sent (see `parts.Recipe`).
    recipe = models.JSONField(null=True, blank=True)
    tokens = models.JSONField(
        null=True, blank=True, help_text="The secret text of the message. Deleted once the email is settled."
    )

    memo = models.JSONField(null=True, blank=True, help_text="What the composer needs if the email is sent again.")

    # What happened when it was sent.
    attempts = models.PositiveSmallIntegerField(default=0)
    deferrals = models.PositiveSmallIntegerField(default=0, help_text="How often a mail server answered “try later”.")
    unanswered = models.PositiveSmallIntegerField(
        default=0, help_text="How often the email was claimed since a mail server last answered."
    )
    doubts = models.PositiveSmallIntegerField(
        default=0, help_text="How often a mail server may have accepted the email without answering."
    )
    #: An email in doubt is sent again unchanged, at most twice.
    in_doubt = models.BooleanField(
        default=False,
        help_text="Whether a mail server may already have the email, so that it can only be sent again unchanged.",
    )

    #: When the email may next be claimed: at its next attempt or, while it is being sent, at the end of its lease.
    available_at = models.DateTimeField()
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    reason = models.CharField(max_length=500, blank=True)
    reason_code = models.CharField(
        max_length=20, blank=True, choices=EmailReason, help_text="The reason as a code, for programs."
    )
    provider_id = models.CharField(max_length=200, blank=True)
    repeat_of_id = models.BigIntegerField(null=True, blank=True, help_text="The earlier email that this email repeats.")

    objects = EmailQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "sending"], settled_at=None)
                | (~Q(status__in=["queued", "sending"]) & Q(settled_at__isnull=False)),
                name="settled_email_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.subject or f"Email {self.pk}"

    @property
    def is_open(self) -> bool:
        """Return True if the email is queued or being sent."""
        return self.status in UNSETTLED_STATUSES

    @property
    def is_sent(self) -> bool:
        """Return True if a mail server has accepted the email."""
        return self.status == EmailStatus.SENT


class EmailPart(models.Model):
    """A part that many sent messages share, which is encoded and stored once.

    `body` is quoted-printable ASCII with CRLF line ends. The row is deleted when no email needs it any more.
    """

    digest = models.CharField(max_length=64, unique=True)
    body = models.TextField()
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Part {self.pk}"


class LegacyMessageId(models.Model):
    """The Message-ID of an old email, which does not contain the id of the email as newer ones do."""

    message_id = models.CharField(max_length=120, primary_key=True)
    email_id = models.BigIntegerField()

    class Meta:
        verbose_name = "legacy Message-ID"

    def __str__(self) -> str:
        return f"Message-ID of {self.email_id}"


class SuppressionCause(models.TextChoices):
    """Codes of reasons why an address is suppressed, for programs. `Suppression.reason` is the text for people."""

    REFUSED = "refused", "The mail server refused the address"
    BOUNCED = "bounced", "An email bounced permanently"
    BOUNCED_OFTEN = "bounced_often", "Emails bounced too often"
    COMPLAINT = "complaint", "Someone at this address marked our emails as spam"
    OTHER = "other", "Another reason"


# The cause is written once, with the reason, and history has the reason.
@pghistory.track(exclude=["address", "address_hash", "cause"])
class Suppression(models.Model):
    """An address that gets no notices and digests until it is released.

    Account emails are still sent, because a person who is locked out must be able to reset their password. The row is
    not deleted after the release. An address has at most one row that is not released.
    """

    # Empty if only the hash of the address is known, which is possible after a restore.
    address = models.EmailField(max_length=254, null=True, blank=True)  # noqa: DJ001 - several rows may have none
    #: The hash of the address in the journal, used instead if the restored database does not contain the address.
    address_hash = models.CharField(max_length=40, blank=True, default="", db_default="")

    cause = models.CharField(max_length=20, choices=SuppressionCause, default=SuppressionCause.OTHER)
    reason = models.CharField(max_length=300)
    since = models.DateTimeField()
    set_by_id = models.BigIntegerField(
        null=True, blank=True, help_text="The person who blocked the address. Empty after a bounce."
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "blocked address"
        verbose_name_plural = "blocked addresses"
        constraints = [
            models.UniqueConstraint(
                Lower("address"), condition=Q(released_at=None), name="unique_open_suppression_per_address"
            ),
            models.UniqueConstraint(
                "address_hash",
                condition=Q(released_at=None) & ~Q(address_hash=""),
                name="unique_open_suppression_per_hash",
            ),
            models.CheckConstraint(
                condition=Q(address=None) ^ Q(address_hash=""), name="suppression_has_address_or_hash"
            ),
        ]

    def __str__(self) -> str:
        return f"Suppression {self.pk}"


class Bounce(models.Model):
    """A bounce or complaint. The table is partitioned by month."""

    class Kind(models.TextChoices):
        """The kinds of bounces.

        * After a hard bounce, the mailbox does not exist. After a soft one, a later email may arrive.
        * A complaint means that the reader marked the email as spam.
        * A refusal by a policy means nothing about the address.
        * If an email is delayed, the server is still trying to deliver it.
        """

        HARD = "hard", "Bounced permanently"
        SOFT = "soft", "Bounced temporarily"
        COMPLAINT = "complaint", "Complaint"
        REFUSED = "refused", "Refused by a policy"
        DELAYED = "delayed", "Delayed"

    kind = models.CharField(max_length=10, choices=Kind)
    address = models.EmailField(max_length=254)
    email_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    text = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class ReportSeen(models.Model):
    """A report of a bounce that was processed. It is stored so that the same report is not processed again."""

    event_id = models.CharField(
        max_length=200, unique=True, help_text="The provider’s id of the report, or a hash of its text."
    )
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "reports seen"

    def __str__(self) -> str:
        return f"Report {self.pk}"


class DeliveredBefore(models.Model):
    """The content of an email that a server accepted after the backup that has been restored.

    The command `after_restore` writes the rows. Each row prevents one repetition and is then deleted:

    * If `params_hash` is the hash of the email's parameters or of its slot, an equal email to this person is dropped.
    * If it is the hash of one fact in the email, the next email leaves out this fact.
    * For a summary, there is a row for each notice in it.
    """

    kind = models.CharField(max_length=40)
    person_id = models.BigIntegerField(null=True)
    params_hash = models.CharField(max_length=40)
    email_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "delivered before"
        constraints = [
            models.UniqueConstraint(
                fields=["email_id", "kind", "params_hash"], name="unique_delivered_before_per_params"
            )
        ]
        indexes = [models.Index(fields=["person_id", "kind"], name="delivered_before_person")]

    def __str__(self) -> str:
        return f"Email {self.email_id}"


class SendCount(models.Model):
    """How many emails to a domain were claimed in one minute, for throttling all senders together."""

    domain = models.CharField(max_length=253)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "minute"], name="unique_send_count_per_minute")]
        indexes = [models.Index(fields=["minute"], name="send_count_minute")]

    def __str__(self) -> str:
        return f"{self.domain} {self.minute:%H:%M}: {self.count}"


#: SQL conditions that an email `e`, which is looked up by its id, is being sent or is open. Without the empty text,
#: PostgreSQL could use the index of open emails instead of the id. That is slow if the statistics wrongly say that no
#: email is open.
IS_SENDING_SQL = "e.status || '' = 'sending'"
IS_UNSETTLED_SQL = "e.status || '' IN ('queued', 'sending')"
