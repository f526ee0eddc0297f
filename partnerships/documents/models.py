"""Abstract models of the drafts, versions, signatories and signatures of documents.

Each room with documents has its own tables (decision 71). A concrete model adds the document to which the row
belongs, constraints, and row history.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from partnerships.documents.revisions import revision_of
from partnerships.kit.prose import StoredHtml
from partnerships.organisations.models import Organisation
from partnerships.people.lead_times import is_time_to_remind
from partnerships.people.models import User

#: The time between two reminders of signatories that are late or have no deadline.
REMIND_AGAIN = dt.timedelta(days=7)


def _immutable() -> pgtrigger.Protect:
    return pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)


class Draft(models.Model):
    """The next version of a document, which people save piece by piece.

    Two people who save different pieces do not conflict. Saving a piece on the basis of an older revision of that
    piece is a conflict.
    """

    #: None while the draft is the same as the version on which it is based.
    content = models.JSONField(null=True)

    #: The HTML of the Markdown, and the version of the rules by which the HTML was rendered.
    prose = models.JSONField(default=dict)
    prose_rules = models.CharField(max_length=16, default="")

    # Who saved which piece, and when. These fields detect conflicts.
    #: The last save of each piece: {"revision", "by" (person id), "at" (ISO 8601)}.
    pieces = models.JSONField(default=dict)
    #: The number of saves.
    revision = models.PositiveIntegerField(default=0)
    #: The revision that was published as the newest version. Pieces with a higher revision have changed since then.
    clean_revision = models.PositiveIntegerField(default=0)

    updated_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def has_changes(self) -> bool:
        """Return whether the draft was saved since the newest version."""
        return self.content is not None

    def revision_of(self, piece: str) -> int:
        """Return the revision at which a piece was last saved; 0 if it never was."""
        return revision_of(self.pieces, piece)


class Version(models.Model):
    """A document as it was published, with a number and a note of what changed and why.

    A trigger prevents changes and deletion. `prose` is the HTML of the Markdown; read it through `html`. Concrete
    models make `number` unique for each document.
    """

    number = models.PositiveIntegerField()
    content = models.JSONField()
    prose = models.JSONField(default=dict)
    prose_rules = models.CharField(
        max_length=16, default="", help_text="The version of the rules that rendered the HTML."
    )

    #: What changed, and why.
    note = models.TextField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        abstract = True
        triggers = [_immutable()]

    @property
    def html(self) -> StoredHtml:
        """Return the HTML of each Markdown field, safe under today's rules."""
        return StoredHtml(self.prose, self.prose_rules)


class Decision(models.TextChoices):
    """An organisation's decision on a version."""

    APPROVED = "approved", "Approved"
    CONDITIONAL = "conditional", "Approved with a condition"
    REJECTED = "rejected", "Rejected"


class Signatory(models.Model):
    """An organisation whose signature a document needs, with the role that signs for it.

    The organisation is asked, and then decides with a `Signature`. If `due_on` passes first, the signatory has lapsed.
    The holder of the next post then gets one email (`escalated_at`), and the organisation can still decide. If the
    signature is no longer needed, the signatory is removed (`removed_at`).
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=150, help_text="Who signs, such as “Chief executive”.")

    due_on = models.DateField(null=True, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(
        null=True, blank=True, help_text="When the next post was sent an email about the late signature."
    )

    questions = models.JSONField(default=list, blank=True, help_text="Questions to answer with the signature.")
    #: Part of the links in emails. A new key makes old links invalid.
    link_key = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def has_lapsed(self, today: dt.date | None = None) -> bool:
        """Return whether the deadline has passed. A deadline before the last request is ignored."""
        if self.due_on is None or self.due_on < timezone.localdate(self.asked_at):
            return False
        return self.due_on < (today or timezone.localdate())

    def is_reminder_due(self, now: dt.datetime, lead_times: Collection[int]) -> bool:
        """Return whether to remind a person with these lead times, in days before the deadline.

        For example, lead times of 7 and 0 mean a week before the deadline and on the day. After the deadline, and if
        there is none, reminders are weekly. The first reminder comes at least a day after the request.
        """
        today = timezone.localdate(now)
        if self.reminded_at is None and self.asked_at > now - dt.timedelta(days=1):
            return False

        if self.due_on is not None and today <= self.due_on:
            reminded_on = timezone.localdate(self.reminded_at) if self.reminded_at else None
            return is_time_to_remind(lead_times, self.due_on, last_reminder=reminded_on, today=today)

        if self.due_on is not None and self.reminded_at is None:
            return True
        return (self.reminded_at or self.asked_at) <= now - REMIND_AGAIN


class Signature(models.Model):
    """An organisation's decision on a version, made by one person. A trigger prevents changes and deletion.

    Concrete models add `version` and `person`, and may use `reason_given` as a constraint.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=150)
    decision = models.CharField(max_length=12, choices=Decision)
    reason = models.TextField(blank=True, help_text="The condition, or why the version was rejected.")
    #: A list of {"question", "answer"}, in the order of the questions.
    answers = models.JSONField(default=list, blank=True, help_text="The questions asked, with their answers.")
    signed_at = models.DateTimeField()

    class Meta:
        abstract = True
        triggers = [_immutable()]

    @property
    def is_conditional(self) -> bool:
        """Return whether the signature is valid only when its condition is met."""
        return self.decision == Decision.CONDITIONAL

    @property
    def is_rejected(self) -> bool:
        """Return whether the organisation rejected the version."""
        return self.decision == Decision.REJECTED

    @property
    def code(self) -> str:
        """Return the decision. `SigningState` reads it under this name from any kind of signature."""
        return self.decision


def reason_given() -> Q:
    """Return the condition that a decision has a reason unless it is a plain approval, for a check constraint."""
    return Q(decision=Decision.APPROVED) | ~Q(reason="")
