"""Sections of a partnership's overview: its main figures, milestones, plans that wait, and points of both sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.commitments.models import Commitment, overdue_on
from partnerships.conversations.models import Conversation
from partnerships.conversations.queries import points_of_partnership, points_of_partnership_lookups
from partnerships.exchange.models import Entry
from partnerships.kit.sections import Section
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import SOON, Milestone, Plan
from partnerships.plans.queries import milestones_due_by, waiting_plans, waiting_plans_lookup

#: Milestones listed; each plan shows all of its own.
MILESTONES = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, its label, and a link to the list behind it."""

    number: int
    label: str
    href: str


def figures_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """What `figures_section` asks."""
    return [lookup(_figures, user, partnership.pk)]


def figures_section(user: User, partnership: Partnership) -> Section:
    """Counts of open asks, commitments and plans of the partnership."""
    to_entries, to_promises, to_plans = (
        reverse(f"web:partnership-{name}", kwargs={"pk": partnership.pk})
        for name in ("entries", "commitments", "plans")
    )
    counted = Counter(rows_for(_figures, user, partnership.pk))
    asks, overdue, plans = counted["ask"], counted["overdue"], counted["plan"]
    under_way = counted["in time"] + overdue
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


def _figures(user: User, partnership: int) -> QuerySet[Any, str]:
    """For each open ask, commitment and plan of the partnership, the word under which it is counted."""
    entries = Entry.objects.visible_to(user).filter(partnership=partnership)
    late = Case(When(overdue_on(timezone.localdate()), then=Value("overdue")), default=Value("in time"))
    promised = Commitment.objects.visible_to(user).filter(partnership=partnership).under_way()
    known = Plan.objects.visible_to(user).filter(partnership=partnership)
    asks = entries.unanswered().filter(direction="ask").order_by().values_list(Value("ask"), flat=True)
    return asks.union(
        promised.order_by().values_list(late, flat=True),
        known.order_by().values_list(Value("plan"), flat=True),
        all=True,
    )


def open_milestones_of(partnership: int) -> QuerySet[Milestone]:
    """The open milestones of a partnership's plans."""
    return Milestone.objects.open().filter(plan__partnership=partnership)


def milestones_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """What `milestones_section` asks."""
    return [lookup(_milestones, user, partnership.pk)]


def milestones_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Milestones of the partnership's plans that are overdue or due within the month."""
    milestones = rows_for(_milestones, user, partnership.pk) if has_rows else []
    return Section("web/_milestones.html", {"milestones": milestones}) if milestones else None


def _milestones(user: User, partnership: int) -> QuerySet[Milestone]:
    near = milestones_due_by(user, timezone.localdate() + SOON).filter(plan__partnership=partnership)
    return near.order_by("due_by", "pk")[:MILESTONES]


def plans_of(partnership: int) -> QuerySet[Plan]:
    """All plans of a partnership."""
    return Plan.objects.filter(partnership=partnership)


def plans_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """What `plans_section` asks."""
    return [waiting_plans_lookup(user, partnership.pk)]


def plans_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Plans of the partnership that wait for somebody, for readers of the drafts."""
    waiting = waiting_plans(user, MILESTONES, partnership.pk) if has_rows else []
    return Section("web/_plans_section.html", {"plans": waiting}) if waiting else None


def _a_conversation(user: User, partnership: int) -> QuerySet[Conversation, int]:
    """The id of one conversation that the person may see, if there is any."""
    return Conversation.objects.visible_to(user).filter(partnership=partnership).values_list("pk", flat=True)[:1]


def points_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """What `points_section` asks."""
    return [*points_of_partnership_lookups(partnership, user), lookup(_a_conversation, user, partnership.pk)]


def points_section(user: User, partnership: Partnership) -> Section:
    """Objectives, obstacles and opportunities of both sides, side by side."""
    sides = points_of_partnership(partnership, user)
    held = not all(side.is_empty for side in sides) or bool(rows_for(_a_conversation, user, partnership.pk))
    may_act = not partnership.is_over and Party.objects.takes_part(user, partnership.pk, *EDITING_ROLES)
    context = {"sides": sides, "held": held, "partnership": partnership, "may_act": may_act}
    return Section("web/_both_sides.html", context)
