"""The number of comments on each piece of a plan, and who can read a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet

from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Comment, Plan

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def comment_counts(user: User | AnonymousUser, plan: Plan, *, on_draft: bool) -> dict[str, int]:
    """Return how many comments in open threads the person may read, by piece.

    For example, {"sites/north-quay": 2}. Comments on the whole plan are left out.
    """
    if not user.is_authenticated:
        return {}
    return dict(rows_for(_counts, user, plan.pk, on_draft=on_draft))


def comments_lookup(user: User, plan: Plan, *, on_draft: bool) -> Lookup:
    """Return the lookup that `comment_counts` makes, for `read_ahead`."""
    return lookup(_counts, user, plan.pk, on_draft=on_draft)


def _counts(user: User, plan_id: int, *, on_draft: bool) -> QuerySet[Comment, tuple[str, int]]:
    """Return pairs of a piece and the number of its comments, on the draft or on any version."""
    is_resolved = Q(resolved_at__isnull=False) | Q(parent__resolved_at__isnull=False)
    comments = Comment.objects.visible_to(user).filter(plan=plan_id).exclude(is_resolved)
    comments = comments.exclude(anchor__in=("", "about"))
    comments = comments.filter(version_number=0) if on_draft else comments.exclude(version_number=0)
    counts: QuerySet[Comment, tuple[str, int]] = comments.values_list("anchor").annotate(Count("pk"))
    return counts


def can_read_today(comment: Comment, person: User) -> bool:
    """Return whether the person may read the comment and its plan as they are today.

    People of an organisation that left the plan may still read old comments. This returns False for them, so that
    nobody mentions them any more.
    """
    readable_plans = Plan.objects.visible_today_to(person).values("pk")
    return Comment.objects.visible_to(person).filter(pk=comment.pk, plan__in=readable_plans).exists()
