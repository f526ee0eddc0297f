"""Comments on plans: the number of comments on each piece, and who can read a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet

from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Comment, Plan

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def comment_counts(user: User | AnonymousUser, plan: Plan, *, on_draft: bool) -> dict[str, int]:
    """Return the number of readable comments in open threads, by piece: {"sites/north-quay": 2}."""
    if not user.is_authenticated:
        return {}
    return dict(rows_for(_counts, user, plan.pk, on_draft=on_draft))


def comments_lookup(user: User, plan: Plan, *, on_draft: bool) -> Lookup:
    """Return the lookup of a later `comment_counts`, for `read_ahead`."""
    return lookup(_counts, user, plan.pk, on_draft=on_draft)


def _counts(user: User, plan: int, *, on_draft: bool) -> QuerySet[Comment, tuple[str, int]]:
    is_resolved = Q(resolved_at__isnull=False) | Q(parent__resolved_at__isnull=False)
    comments = Comment.objects.visible_to(user).filter(plan=plan).exclude(is_resolved)
    on_pieces = comments.exclude(anchor__in=("", "about"))
    rows = on_pieces.filter(version_number=0) if on_draft else on_pieces.exclude(version_number=0)
    counts: QuerySet[Comment, tuple[str, int]] = rows.values_list("anchor").annotate(Count("pk"))
    return counts


def can_read_today(comment: Comment, person: User) -> bool:
    """Return whether the person may read the comment and can read the plan as it is today.

    People of an organisation that left may read old comments, but are not mentioned any more.
    """
    readable_plans = Plan.objects.visible_today_to(person).values("pk")
    return Comment.objects.visible_to(person).filter(pk=comment.pk, plan__in=readable_plans).exists()
