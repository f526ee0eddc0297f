"""Rules that subscribe everyone with a role."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Partnership, Post
from partnerships.people.models import User
from partnerships.plans.models import Plan


@pghistory.track()
class RoleRule(models.Model):
    """A rule by which everyone with a role gets digests about a partnership or a plan.

    The rule gives each person a subscription (with `How.ROLE`):

    * If the person ends the subscription, the rule does not start it again.
    * Losing the role ends the subscription; getting the role back starts it again.
    * If the role is to hold a post, the subscription of the last holder ends when the next holder's starts.
    """

    class Role(models.TextChoices):
        """The role that a rule is for."""

        MEMBERS = "members", "Everyone who acts for an organisation in the partnership"
        SIGNATORIES = "signatories", "Leads of the organisations that must sign"
        POST = "post", "The holder of a post"

    # What the digests are about: a partnership or a plan.
    partnership = models.ForeignKey(
        Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="digest_rules"
    )
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, blank=True, related_name="digest_rules")

    # Who gets them. The post is set only if the role is to hold a post.
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, blank=True, related_name="digest_rules")
    role = models.CharField(max_length=12, choices=Role)

    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role="members", partnership__isnull=False, plan=None, post=None)
                | Q(role="signatories", plan__isnull=False, partnership=None, post=None)
                | Q(role="post", post__isnull=False, partnership__isnull=False, plan=None)
                | Q(role="post", post__isnull=False, plan__isnull=False, partnership=None),
                name="role_rule_fits_target",
            ),
            models.UniqueConstraint(
                fields=["partnership", "plan", "role", "post"], name="unique_rule_per_role", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} ({self.pk})"
