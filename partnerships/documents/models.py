"""Abstract rows of documents: drafts, versions, signatories and signatures.

Each room that has documents makes its own tables of them (decision 71): a concrete model adds what the row belongs to,
its constraints and its row history.
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

#: How often signatories are reminded after their deadline, or without one.
REMIND_AGAIN = dt.timedelta(days=7)


def _immutable() -> pgtrigger.Protect:
    return pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)


class Draft(models.Model):
    """What will be published next, saved piece by piece.

    `content` is None while nothing differs from the version that the draft is based on. `prose` is the HTML of its
    Markdown, rendered under the rules in `prose_rules` when a piece was saved. `pieces` maps a piece to {"revision",
    "by" (person id), "at" (ISO 8601)}: saving on top of an older revision of the same piece is a conflict; different
    pieces merge. `revision` counts all saves; `clean_revision` is its value when the newest version was published, so
    pieces above it have changed since.
    """

    content = models.JSONField(null=True)
    prose = models.JSONField(default=dict)
    prose_rules = models.CharField(max_length=16, default="")
    pieces = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    clean_revision = models.PositiveIntegerField(default=0)
    updated_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def is_touched(self) -> bool:
        """Whether anything was saved since the newest version."""
        return self.content is not None

    def revision_of(self, piece: str) -> int:
        """The revision at which a piece was last saved; 0 if never."""
        return revision_of(self.pieces, piece)


class Version(models.Model):
    """A document as published: numbered, with a note of what changed and why.

    A trigger prevents changes and deletion. `prose` is the HTML of its Markdown, rendered when the text was saved; read
    it through `html`. Concrete models make `number` unique for each document.
    """

    number = models.PositiveIntegerField()
    content = models.JSONField()
    prose = models.JSONField(default=dict)
    prose_rules = models.CharField(
        max_length=16, default="", help_text="The version of the rules that rendered the HTML."
    )
    note = models.TextField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        abstract = True
        triggers = [_immutable()]

    @property
    def html(self) -> StoredHtml:
        """The HTML of its Markdown by field, safe under today's rules."""
        return StoredHtml(self.prose, self.prose_rules)


class Decision(models.TextChoices):
    """An organisation's decision on a version."""

    APPROVED = "approved", "Approved"
    CONDITIONAL = "conditional", "Approved with a condition"
    REJECTED = "rejected", "Rejected"


class Signatory(models.Model):
    """An organisation whose signature a document needs, and who signs for it.

    asked → decided; lapsed after `due_on` until it decides; removed when its signature is no longer needed. When it
    has lapsed, the next post is told once, at `escalated_at`. `link_key` is part of the links in emails: a new key
    makes old links invalid. `questions` are texts; each is answered with the signature.
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
    link_key = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def has_lapsed(self, today: dt.date | None = None) -> bool:
        """Whether its deadline is past.

        A deadline before it was last asked does not count.
        """
        if self.due_on is None or self.due_on < timezone.localdate(self.asked_at):
            return False
        return self.due_on < (today or timezone.localdate())

    def is_reminder_due(self, now: dt.datetime, lead_times: Collection[int]) -> bool:
        """Whether to remind somebody with these lead times.

        Before the deadline at their lead times, but not within a day of being asked. After it once a week, and without
        one once a week after being asked.
        """
        today = timezone.localdate(now)
        if self.reminded_at is None and self.asked_at > now - dt.timedelta(days=1):
            return False
        if self.due_on is not None and today <= self.due_on:
            last = timezone.localdate(self.reminded_at) if self.reminded_at else None
            return is_time_to_remind(lead_times, self.due_on, last=last, today=today)
        if self.due_on is not None and self.reminded_at is None:
            return True
        return (self.reminded_at or self.asked_at) <= now - REMIND_AGAIN


class Signature(models.Model):
    """An organisation's decision on a version, by one person.

    A trigger keeps it unchanged. `answers` are {"question", "answer"}, in the order of the questions. Concrete models
    add `version` and `person`, and may use `reason_given` as a constraint.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=150)
    decision = models.CharField(max_length=12, choices=Decision)
    reason = models.TextField(blank=True, help_text="The condition, or why it was rejected.")
    answers = models.JSONField(default=list, blank=True, help_text="The questions asked, with their answers.")
    signed_at = models.DateTimeField()

    class Meta:
        abstract = True
        triggers = [_immutable()]

    @property
    def is_conditional(self) -> bool:
        """Whether it counts only once a condition is met."""
        return self.decision == Decision.CONDITIONAL

    @property
    def is_rejected(self) -> bool:
        """Whether the organisation rejected the version."""
        return self.decision == Decision.REJECTED

    @property
    def code(self) -> str:
        """The decision, for `SigningState`."""
        return self.decision


def reason_given() -> Q:
    """The condition that a rejection, or an approval with a condition, has a reason."""
    return Q(decision=Decision.APPROVED) | ~Q(reason="")
