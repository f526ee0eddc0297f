"""Shares of a draft, requests to see a draft, comments and mentions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models.owning import left_plan_after
from partnerships.plans.models.plan import Plan
from partnerships.plans.models.routes import is_active_share

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ShareQuerySet(models.QuerySet["Share"]):
    """Filters for shares by whether they are active."""

    def active(self, now: dt.datetime) -> ShareQuerySet:
        """Return the shares by which people can see a draft now."""
        return self.filter(is_active_share(now, share="", plan="plan__"))


@pghistory.track()
class Share(models.Model):
    """Access to a draft for one person of another organisation.

    shared → opened → ended. If the draft is shared with the person again, the same row is used.

    A share ends in one of these ways:

    * It is revoked.
    * Its last day (`ends_on`) has passed.
    * The person stops acting for `organisation`.
    * That organisation leaves the partnership.
    * The owner that shares the draft (`shown_for`) stops owning the plan.

    Some old shares have no `organisation` and no `shown_for`, because the migration that added these columns found
    none. They give no access.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="shares")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="plan_shares")

    # The organisation for which the person sees the draft, and the owner that shares it.
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The organisation for which the person sees the draft.",
    )
    shown_for = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The owner that shares the draft.",
    )

    may_comment = models.BooleanField(default=False)
    message = models.TextField(blank=True)
    ends_on = models.DateField(null=True, blank=True, help_text="The last day on which the person can see the draft.")

    # The times of the share.
    shared_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    shared_at = models.DateTimeField()
    invited_at = models.DateTimeField(
        null=True, blank=True, help_text="When we recorded the email about the shared draft."
    )
    opened_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person first opened the draft since it was last shared."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ShareQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "person"], name="unique_share_per_person")]

    def __str__(self) -> str:
        return f"Draft of {self.plan_id} shared with {self.person_id}"

    @property
    def is_past_last_day(self) -> bool:
        """Return whether the last day of the share is past."""
        return self.ends_on is not None and self.ends_on < timezone.localdate()


class OpeningMethod(models.TextChoices):
    """How a person opened a draft shared with them."""

    SCREEN = "screen", "On screen"
    COMPARED = "compared", "On screen, compared with a version"
    PAPER = "paper", "On paper"
    PDF = "pdf", "As a PDF"
    SPREADSHEET = "csv", "As a spreadsheet"
    DOCUMENT = "document", "A document in the draft"
    MAP = "map", "The map of its sites"
    COMMENTS = "comments", "The comments on the draft"


class ShareOpening(models.Model):
    """One opening of a shared draft. Rows are never changed or deleted, even if the draft is shared again."""

    share = models.ForeignKey(Share, on_delete=models.CASCADE, related_name="openings")
    shown_at = models.DateTimeField(help_text="When the draft was shared.")
    at = models.DateTimeField()
    how = models.CharField(max_length=8, choices=OpeningMethod)
    what = models.CharField(max_length=200, blank=True, help_text="The name of the document.")

    class Meta:
        indexes = [models.Index(fields=["share", "-at"], name="share_opening")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Share {self.share_id} opened {self.at:%Y-%m-%d}"


@pghistory.track()
class AccessRequest(models.Model):
    """A request by a person of a partnership to see a draft.

    asked → granted or declined. The person who asks is not shown whether such a plan exists. A person has at most one
    open request for a plan.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="plan_requests")
    #: The plan to which `about` refers, or None if there is no such plan.
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, related_name="access_requests")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="plan_requests")
    #: The title or the address of the plan, as the person entered it.
    about = models.CharField(max_length=300)
    message = models.TextField(blank=True)
    asked_at = models.DateTimeField()

    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    #: None until the request is answered.
    granted = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "person"], condition=Q(answered_at=None), name="unique_open_access_request_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} asks about {self.plan_id}"


class CommentQuerySet(models.QuerySet["Comment"]):
    """Filters for comments by who may read them."""

    def visible_to(self, user: User | AnonymousUser) -> CommentQuerySet:
        """Return comments that the person may read.

        - On a version, readers inside read all comments. Other readers read the threads that they started, and after
          their organisation has left only comments that were written before it left.
        - On a version under embargo, only people of owners read comments.
        - On a draft, people of owners and parties read all comments. Other people with whom it is shared read the
          threads that they started and the comments on the whole plan, because a piece may be restricted.
        """
        if not user.is_authenticated:
            return self.none()
        plans = Plan.objects
        started_by_user = Q(author=user.pk, parent=None) | Q(parent__author=user.pk)

        is_owner = Q(plans.owned_by_organisations_of(user).contains_outer_plan())
        has_no_embargo = Q(version_number__lte=F("plan__open_number"))
        on_version = Q(version_number__gt=0) & (has_no_embargo | is_owner)
        reads_inside = Q(plans.fully_readable_by(user).contains_outer_plan())
        reads_version = Q(plans.published_for(user).contains_outer_plan())
        reads_plan_today = Q(plans.published_today_for(user).contains_outer_plan())
        was_written_before_leaving = left_plan_after(user, plan="plan", at="created_at")
        inside = on_version & reads_inside
        outside = on_version & reads_version & started_by_user & (reads_plan_today | was_written_before_leaving)

        on_draft = Q(plans.draft_visible_to(user).contains_outer_plan(), version_number=0)
        on_whole_plan = Q(anchor__in=("", "about"))
        is_insider = Q(plans.with_insider(user).contains_outer_plan())
        return self.filter(inside | outside | (on_draft & (on_whole_plan | started_by_user | is_insider)))


@pghistory.track()
class Comment(models.Model):
    """A comment on a plan or on a piece of the plan.

    A thread is a comment without a parent, together with its replies. Threads can be resolved and reopened.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="comments")

    # What the comment is about.
    #: The number of the version, or 0 for the draft.
    version_number = models.PositiveIntegerField(default=0)
    #: The piece, for example "sites/north-quay", and its title when the comment was written.
    anchor = models.CharField(max_length=120, blank=True)
    anchor_label = models.CharField(max_length=500, blank=True)

    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    text = models.TextField()

    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    # Set on the first comment of a thread.
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["plan", "created_at"], name="comment_plan")]

    def __str__(self) -> str:
        return f"Comment {self.pk} on {self.plan_id}"

    @property
    def is_on_draft(self) -> bool:
        """Return whether the comment was made on a draft."""
        return self.version_number == 0

    @property
    def is_resolved(self) -> bool:
        """Return whether the thread is resolved."""
        return self.resolved_at is not None


class Mention(models.Model):
    """A person mentioned in a comment."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mentions")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="plan_mentions")
    #: When the email to the person was recorded.
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "person"], name="unique_mention_per_comment")]
        indexes = [
            models.Index(fields=["person"], condition=Q(told_at=None), name="mention_not_notified"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} mentioned in {self.comment_id}"
