"""What a partnership's overview shows of the rooms above it: the figures that matter, milestones that are near, and
what each side wants, cannot do and could gain."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation
from partnerships.conversations.queries import points_of_partnership
from partnerships.exchange.models import Entry
from partnerships.kit.sections import Section
from partnerships.organisations.models import EDITING_ROLES
from partnerships.people.models import User
from partnerships.plans.models import SOON, Plan
from partnerships.plans.queries import milestones_due_by, waiting_plans

#: Milestones listed; each plan shows all of its own.
MILESTONES = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, its label, and a link to the list behind it."""

    number: int
    words: str
    href: str


def figures_section(user: User, partnership: Partnership) -> Section:
    """Counts of open asks, commitments and plans of the partnership."""
    today = timezone.localdate()
    entries = Entry.objects.visible_to(user).filter(partnership=partnership)
    promised = Commitment.objects.visible_to(user).filter(partnership=partnership)
    to_entries, to_promises, to_plans = (
        reverse(f"web:partnership-{name}", kwargs={"pk": partnership.pk})
        for name in ("entries", "commitments", "plans")
    )
    asks = entries.unanswered().filter(direction="ask").count()
    counted = promised.under_way().aggregate(all=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=today)))
    under_way, overdue = counted["all"], counted["overdue"]
    plans = Plan.objects.visible_to(user).filter(partnership=partnership).count()
    return Section(
        "web/_figures.html",
        {
            "figures": [
                Figure(asks, f"unanswered ask{'' if asks == 1 else 's'}", to_entries),
                Figure(under_way, f"commitment{'' if under_way == 1 else 's'} under way", to_promises),
                Figure(overdue, "overdue", to_promises),
                Figure(plans, f"plan{'' if plans == 1 else 's'}", to_plans),
            ]
        },
    )


def milestones_section(user: User, partnership: Partnership) -> Section | None:
    """Milestones of the partnership's plans that are overdue or due within the month."""
    today = timezone.localdate()
    near = milestones_due_by(user, today + SOON).filter(plan__partnership=partnership)
    found = list(near.order_by("due_by", "pk")[:MILESTONES])
    return Section("web/_milestones.html", {"milestones": found, "today": today}) if found else None


def plans_section(user: User, partnership: Partnership) -> Section | None:
    """Plans of the partnership that wait for somebody, for readers of the drafts."""
    waiting = waiting_plans(user, MILESTONES, partnership.pk)
    return Section("web/_plans_section.html", {"plans": waiting}) if waiting else None


def points_section(user: User, partnership: Partnership) -> Section:
    """Objectives, obstacles and opportunities of both sides, side by side."""
    sides = points_of_partnership(partnership, user)
    held = Conversation.objects.visible_to(user).filter(partnership=partnership).exists()
    may_act = not partnership.is_over and Party.objects.takes_part(user, partnership.pk, *EDITING_ROLES)
    words = {"sides": sides, "held": held, "partnership": partnership, "may_act": may_act}
    return Section("web/_both_sides.html", words)
