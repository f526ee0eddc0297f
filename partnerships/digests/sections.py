"""Sections of digests on other pages, and sections of upper rooms on pages of digests."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.agreements.models import Partnership, Post
from partnerships.digests.models import RoleRule
from partnerships.kit.sections import Section, Sections
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class ReadByLink:
    """A plan that a stakeholder reads by the link in a digest. `now` is when the page checked the rights."""

    token: str
    plan: Plan
    version_number: int
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class ViewByLink:
    """A digest that its reader opens by its link.

    `plans` are the plans whose new versions it shows; `others` are the kinds and ids of plans and partnerships whose
    changes it shows.
    """

    token: str
    plans: frozenset[int]
    others: frozenset[tuple[str, int]]


#: Sections below a digest that its reader opens by its link.
ON_VIEW_BY_LINK: Sections[User, ViewByLink] = Sections()
#: Sections below a plan that a stakeholder reads by a link.
ON_READ_BY_LINK: Sections[User, ReadByLink] = Sections()

#: The most partnerships, and the most plans, that the section offers to follow.
OFFERED = 30


def follows_section(user: User, post: Post) -> Section | None:
    """Return the section with partnerships, and their plans, that the holder of a post can follow."""
    partnerships = Partnership.objects.with_party_of(user).live().filter(parties__organisation=post.organisation_id)
    if post.partnership_id is not None:
        partnerships = partnerships.filter(pk=post.partnership_id)
    plans = Plan.objects.visible_to(user).filter(partnership__in=partnerships.values("pk"))
    rules = RoleRule.objects.filter(post=post).values_list("partnership", "plan")
    followed_keys = {("partnership", partnership) if partnership else ("plan", plan) for partnership, plan in rules}
    targets = [
        {"kind": kind, "target": target, "follows": (kind, target.pk) in followed_keys}
        for kind, records in (("partnership", partnerships.distinct()), ("plan", plans))
        for target in records.order_by("title", "pk")[:OFFERED]
    ]
    return Section("digests/_follows_section.html", {"targets": targets, "post": post}) if targets else None
