"""Emails, bounces, suppressed addresses, and the tables about them."""

from __future__ import annotations

import datetime as dt

import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

#: How long the message as sent is kept.
BODY_KEPT = dt.timedelta(days=30)
#: How long the address, the subject and the server's reply are kept.
ADDRESS_KEPT = dt.timedelta(days=365)
#: Partitions whose newest email is older than this are dropped. The same number is in the database.
ROWS_KEPT = dt.timedelta(days=3 * 365)


class Lane(models.IntegerChoices):
    """The order in which emails leave; one sender is reserved for the first."""

    ACCOUNT = 0, "Account"
    NOTICE = 1, "Notice"
    DIGEST = 2, "Digest"


class EmailStatus(models.TextChoices):
    """queued → sending → sent, failed, suppressed or dropped.

    From sending back to queued when a lease ends or an email is released.
    """

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    SUPPRESSED = "suppressed", "Not sent"
    DROPPED = "dropped", "No longer needed"


#: Statuses of emails that are not settled.
OPEN = (EmailStatus.QUEUED, EmailStatus.SENDING)


class EmailReason(models.TextChoices):
    """Why an email has not left, for code; `Email.reason` is for people."""

    NOT_COMPOSED = "not_composed", "It could not be written"
    MAY_HAVE_ARRIVED = "may_have_arrived", "It may have arrived"

    def in_full(self, detail: str) -> str:
        """The label and the error, for the ledger."""
        return f"{self.label}: {detail}"[:500]


class EmailQuerySet(models.QuerySet["Email"]):
    """Emails by whether they are settled."""

    def open(self) -> EmailQuerySet:
        """Queued or sending."""
        return self.filter(status__in=OPEN)

    def is_settled(self) -> EmailQuerySet:
        """Sent, failed, suppressed or dropped."""
        return self.filter(settled_at__isnull=False)


class Email(models.Model):
    """One email to one person or address.

    Recorded in the transaction that causes it, so that neither exists without the other. `kind` is a code that says
    which room composes it, from `params`. `available_at` is when it may next be claimed: the next attempt if queued,
    the end of the lease if sending. `recipe` is the message as sent (see `parts.Recipe`). If a server may have accepted
    it without answering, it is `in_doubt` and is sent again unchanged, at most twice.

    The table is partitioned by month. The number of an email begins with its month and is part of its Message-ID, so
    that looking it up reads one partition. A trigger keeps `lane`, `kind`, `person_id` and `created_at` from changing,
    and settled emails too, except that personal data is cleared.
    """

    lane = models.PositiveSmallIntegerField(choices=Lane)
    kind = models.CharField(max_length=40)
    person_id = models.BigIntegerField(null=True, help_text="The recipient. Empty for an address without a person.")
    sender_id = models.BigIntegerField(
        null=True, help_text="The organisation on whose behalf it is sent. Its leads can read the status."
    )
    params = models.JSONField(default=dict, help_text="The numbers and codes from which the email is composed.")
    secrets = models.JSONField(
        null=True, blank=True, help_text="Secret parameters, such as a token. Deleted once the email is settled."
    )
    status = models.CharField(max_length=10, choices=EmailStatus, default=EmailStatus.QUEUED)
    message_id = models.CharField(max_length=120, blank=True)
    address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=400, blank=True)
    recipe = models.JSONField(null=True, blank=True)
    tokens = models.JSONField(
        null=True, blank=True, help_text="The secret words of the message. Deleted once the email is settled."
    )
    memo = models.JSONField(null=True, blank=True, help_text="What the composer needs to know when it is sent again.")
    attempts = models.PositiveSmallIntegerField(default=0)
    deferrals = models.PositiveSmallIntegerField(default=0, help_text="How often a server said “later”.")
    unanswered = models.PositiveSmallIntegerField(default=0, help_text="Claims since a server last answered.")
    doubts = models.PositiveSmallIntegerField(
        default=0, help_text="How often a server may have accepted it without answering."
    )
    in_doubt = models.BooleanField(
        default=False, help_text="A mail server may already have it, so it can only be sent again unchanged."
    )
    available_at = models.DateTimeField()
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    reason_code = models.CharField(
        max_length=20, blank=True, choices=EmailReason, help_text="The reason as a code, for programs."
    )
    provider_id = models.CharField(max_length=200, blank=True)
    repeat_of_id = models.BigIntegerField(null=True, blank=True, help_text="The email that this one repeats.")

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
        """Whether it is queued or sending."""
        return self.status in OPEN

    @property
    def is_sent(self) -> bool:
        """Whether a server has accepted it."""
        return self.status == EmailStatus.SENT


class EmailPart(models.Model):
    """A shared part of messages as sent, encoded and stored once.

    `body` is quoted-printable ASCII with CRLF line ends. Removed when no kept email needs it.
    """

    digest = models.CharField(max_length=64, unique=True)
    body = models.TextField()
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Part {self.pk}"


class LegacyMessageId(models.Model):
    """The Message-ID of an email sent before they held email numbers."""

    message_id = models.CharField(max_length=120, primary_key=True)
    email_id = models.BigIntegerField()

    class Meta:
        verbose_name = "legacy Message-ID"

    def __str__(self) -> str:
        return f"Message-ID of {self.email_id}"


class SuppressionCause(models.TextChoices):
    """Why an address is suppressed, for code; `reason` is for people."""

    REFUSED = "refused", "The mail server refused the address"
    BOUNCED = "bounced", "An email bounced permanently"
    BOUNCED_OFTEN = "bounced_often", "Emails bounced too often"
    COMPLAINT = "complaint", "They marked our emails as spam"
    OTHER = "other", "Something else"


# The cause is written once, with the reason, and history has the reason.
@pghistory.track(exclude=["address", "address_hash", "cause"])
class Suppression(models.Model):
    """An address that gets no notices and digests until it is released.

    Account emails are still sent: somebody who is locked out must be able to ask for a reset.
    """

    address = models.EmailField(max_length=254, null=True, blank=True)  # noqa: DJ001 - several rows may have none
    #: The journal's hash, instead of an address that the database does not know since a restore.
    address_hash = models.CharField(max_length=40, blank=True, default="", db_default="")
    cause = models.CharField(max_length=20, choices=SuppressionCause, default=SuppressionCause.OTHER)
    reason = models.CharField(max_length=300)
    since = models.DateTimeField()
    set_by_id = models.BigIntegerField(
        null=True, blank=True, help_text="The person who suppressed it. Empty for a bounce."
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("address"), condition=Q(released_at=None), name="one_open_suppression_an_address"
            ),
            models.UniqueConstraint(
                "address_hash", condition=Q(released_at=None) & ~Q(address_hash=""), name="one_open_suppression_a_hash"
            ),
            models.CheckConstraint(
                condition=Q(address=None) ^ Q(address_hash=""), name="suppressed_by_address_or_by_hash"
            ),
        ]

    def __str__(self) -> str:
        return f"Suppression {self.pk}"


class Bounce(models.Model):
    """A bounce or complaint; partitioned by month, like emails."""

    class Kind(models.TextChoices):
        """Hard: no such mailbox. Soft: may work later. Complaint: marked as spam.

        Refused: by a policy, which says nothing about the address. Delayed: still being tried.
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
    """A report that was processed, so that it counts once."""

    event_id = models.CharField(max_length=200, unique=True, help_text="The provider's number, or a hash of the mail.")
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "reports seen"

    def __str__(self) -> str:
        return f"Report {self.pk}"


class DeliveredBefore(models.Model):
    """An email accepted after the restored backup was made.

    Written by `after_restore`. The next email with the same kind, recipient and hash is dropped, once. The hash is that
    of its parameters, of its slot, or of one thing that it tells: then the next email tells this no more, once. A
    summary has a row for each notice that it told.
    """

    kind = models.CharField(max_length=40)
    person_id = models.BigIntegerField(null=True)
    params_hash = models.CharField(max_length=40)
    email_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "delivered before"
        constraints = [
            models.UniqueConstraint(fields=["email_id", "kind", "params_hash"], name="one_memory_of_what_an_email_told")
        ]
        indexes = [models.Index(fields=["person_id", "kind"], name="delivered_before_person")]

    def __str__(self) -> str:
        return f"Email {self.email_id}"


class SendCount(models.Model):
    """Emails claimed for a domain in a minute, for throttling all senders."""

    domain = models.CharField(max_length=253)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "minute"], name="one_send_count_a_minute")]
        indexes = [models.Index(fields=["minute"], name="send_count_minute")]

    def __str__(self) -> str:
        return f"{self.domain} {self.minute:%H:%M}: {self.count}"


#: In SQL: whether an email `e`, looked up by its number, is sending, or is open. The empty text keeps PostgreSQL from
#: using the index over open emails: its statistics may say that there are none, so that reading that index looks
#: cheaper than one look-up.
STILL_SENDING = "e.status || '' = 'sending'"
STILL_OPEN = "e.status || '' IN ('queued', 'sending')"
