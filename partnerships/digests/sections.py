"""What a post follows, on its page."""

from __future__ import annotations

from partnerships.agreements.models import Partnership, Post
from partnerships.digests.models import RoleRule
from partnerships.kit.sections import Section
from partnerships.people.models import User
from partnerships.plans.models import Plan

#: How many things of each kind the page offers to follow.
OFFERED = 30


def follows_section(user: User, post: Post) -> Section | None:
    """Section with what the holder of a post can follow: partnerships and their plans."""
    partnerships = Partnership.objects.present_for(user).live().filter(parties__organisation=post.organisation_id)
    if post.partnership_id is not None:
        partnerships = partnerships.filter(pk=post.partnership_id)
    plans = Plan.objects.visible_to(user).filter(partnership__in=partnerships.values("pk"))
    rules = RoleRule.objects.filter(post=post).values_list("partnership", "plan")
    followed = {("partnership", one) if one else ("plan", plan) for one, plan in rules}
    targets = [
        {"kind": kind, "target": target, "follows": (kind, target.pk) in followed}
        for kind, found in (("partnership", partnerships.distinct()), ("plan", plans))
        for target in found.order_by("title", "pk")[:OFFERED]
    ]
    return Section("digests/_follows_section.html", {"targets": targets, "post": post}) if targets else None
