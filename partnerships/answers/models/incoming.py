"""Incoming emails, which have no effect until the person who sent them confirms them."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Partnership
from partnerships.answers.models.answers import Answer
from partnerships.people.models import User
from partnerships.plans.models import Plan

#: The time for which an incoming email can be confirmed and is stored, and for which a reply address works.
INCOMING_RETENTION = dt.timedelta(days=30)


class IncomingStatus(models.TextChoices):
    """The status of an incoming email: waiting → used or dropped by its person.

    Retention deletes the email after 30 days, whatever its status.
    """

    WAITING = "waiting", "Waiting for your confirmation"
    USED = "used", "Confirmed"
    DROPPED = "dropped", "Deleted"


class UnusableReason(models.TextChoices):
    """Why an email could not be used. The label is the text for its sender."""

    LATE = "late", "You replied to an email that is more than 30 days old."
    EMPTY = "empty", "Your email contained no new text."
    NO_PLACE = (
        "no_place",
        "You replied to an email that is not about a plan or partnership on which you can comment.",
    )
    MANY = "many", "We accept up to 20 emails a day from one person. You can send this one again tomorrow."
    UNKNOWN = (
        "unknown",
        (
            "You wrote to an address that no longer works, or that belongs to someone else, or you wrote from an "
            "address that we do not know."
        ),
    )


class IncomingQuerySet(models.QuerySet["Incoming"]):
    """Filters for incoming emails by status."""

    def waiting(self, now: dt.datetime) -> IncomingQuerySet:
        """Return emails that can still be confirmed."""
        return self.filter(status=IncomingStatus.WAITING, received_at__gt=now - INCOMING_RETENTION)


class Incoming(models.Model):
    """A reply to one of our emails, or an email forwarded to a partnership.

    Anybody can write a From address. So the email has no effect and only `person` can see it, until the person
    confirms it: signed in, or by a link that we send to the person's own address. The text is then emptied, because
    the comment or conversation made from the email contains it.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="incoming_emails")
    reply_to_id = models.BigIntegerField(
        null=True, blank=True, help_text="The number of the email that the person replied to."
    )
    #: The plan of the email that the person replied to, or the partnership that the email was forwarded to.
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    status = models.CharField(max_length=7, choices=IncomingStatus, default=IncomingStatus.WAITING)
    received_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    left_out = models.JSONField(default=list, blank=True, help_text="Attachments that we did not accept, and why.")

    objects = IncomingQuerySet.as_manager()

    class Meta:
        verbose_name = "received email"
        verbose_name_plural = "received emails"
        constraints = [
            models.CheckConstraint(
                condition=Q(reply_to_id__isnull=False, partnership=None)
                | Q(reply_to_id=None, plan=None, partnership__isnull=False),
                name="incoming_email_is_reply_or_forwarded",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", settled_at=None) | (~Q(status="waiting") & Q(settled_at__isnull=False)),
                name="settled_incoming_email_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "received_at"], condition=Q(status="waiting"), name="incoming_waiting")
        ]

    def __str__(self) -> str:
        return f"Incoming email {self.pk}"

    @property
    def is_waiting(self) -> bool:
        """Return whether the email has been neither confirmed nor dropped."""
        return self.status == IncomingStatus.WAITING

    @property
    def is_reply(self) -> bool:
        """Return whether the email is a reply to one of our emails."""
        return self.reply_to_id is not None


class IncomingFile(models.Model):
    """An accepted attachment of an incoming email.

    After the email is confirmed, the file belongs to the answer made from it.
    """

    incoming = models.ForeignKey(Incoming, on_delete=models.CASCADE, null=True, blank=True, related_name="files")
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, null=True, blank=True, related_name="files")
    file = models.FileField(upload_to="answers/%Y/%m", max_length=300)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="Size in bytes.")
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(incoming__isnull=False, answer=None) | Q(incoming=None, answer__isnull=False),
                name="incoming_file_has_email_or_answer",
            )
        ]

    def __str__(self) -> str:
        return f"File {self.pk}"
