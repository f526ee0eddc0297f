"""Sections of a partnership's overview page, such as its figures, milestones and plans."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, QuerySet, Value, When
from django.template.defaultfilters import pluralize
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
from partnerships.plans.models import DUE_SOON, Milestone, Plan
from partnerships.plans.queries import milestones_due_by, waiting_plans, waiting_plans_lookup

#: The most milestones in the section. The page of each plan shows all its milestones.
MAX_MILESTONES = 6
#: The most waiting plans in the section.
MAX_PLANS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, its label, and a link to the list behind it."""

    number: int
    label: str
    href: str


def figures_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the lookup of a later `figures_section`, for `read_ahead`."""
    return [lookup(_kinds_of_records, user, partnership.pk)]


def figures_section(user: User, partnership: Partnership) -> Section:
    """Return the section with counts of unanswered asks, commitments and plans of the partnership."""
    entries_url = reverse("web:partnership-entries", kwargs={"pk": partnership.pk})
    commitments_url = reverse("web:partnership-commitments", kwargs={"pk": partnership.pk})
    plans_url = reverse("web:partnership-plans", kwargs={"pk": partnership.pk})
    count_by_kind = Counter(rows_for(_kinds_of_records, user, partnership.pk))
    asks, overdue, plans = count_by_kind["ask"], count_by_kind["overdue"], count_by_kind["plan"]
    under_way = count_by_kind["in time"] + overdue
    return Section(
        "web/_figures.html",
        {
            "figures": [
                Figure(asks, f"unanswered ask{pluralize(asks)}", entries_url),
                Figure(under_way, f"commitment{pluralize(under_way)} under way", commitments_url),
                Figure(overdue, "overdue", commitments_url),
                Figure(plans, f"plan{pluralize(plans)}", plans_url),
            ]
        },
    )


def _kinds_of_records(user: User, partnership_id: int) -> QuerySet[Any, str]:
    """Return "ask", "overdue", "in time" or "plan" for each record to count, in a single query."""
    entries = Entry.objects.visible_to(user).filter(partnership=partnership_id)
    asks = entries.unanswered().filter(direction="ask")
    commitments = Commitment.objects.visible_to(user).filter(partnership=partnership_id).under_way()
    timeliness = Case(When(overdue_on(timezone.localdate()), then=Value("overdue")), default=Value("in time"))
    plans = Plan.objects.visible_to(user).filter(partnership=partnership_id)
    return (
        asks.order_by()
        .values_list(Value("ask"), flat=True)
        .union(
            commitments.order_by().values_list(timeliness, flat=True),
            plans.order_by().values_list(Value("plan"), flat=True),
            all=True,
        )
    )


def open_milestones_of(partnership_id: int) -> QuerySet[Milestone]:
    """Return the open milestones of a partnership's plans."""
    return Milestone.objects.outstanding().filter(plan__partnership=partnership_id)


def milestones_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the lookup of a later `milestones_section`, for `read_ahead`."""
    return [lookup(_milestones, user, partnership.pk)]


def milestones_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the section with milestones of the partnership's plans that are overdue or due within a month."""
    milestones = rows_for(_milestones, user, partnership.pk) if has_rows else []
    return Section("web/_milestones.html", {"milestones": milestones}) if milestones else None


def _milestones(user: User, partnership_id: int) -> QuerySet[Milestone]:
    """Return the plans' milestones that are overdue or due within a month."""
    due_soon = milestones_due_by(user, timezone.localdate() + DUE_SOON).filter(plan__partnership=partnership_id)
    return due_soon.order_by("due_by", "pk")[:MAX_MILESTONES]


def plans_of(partnership_id: int) -> QuerySet[Plan]:
    """Return all plans of a partnership."""
    return Plan.objects.filter(partnership=partnership_id)


def plans_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the lookup of a later `plans_section`, for `read_ahead`."""
    return [waiting_plans_lookup(user, partnership.pk)]


def plans_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the section with plans that are waiting for somebody, for people who may read their drafts."""
    plans = waiting_plans(user, MAX_PLANS, partnership.pk) if has_rows else []
    return Section("web/_plans_section.html", {"plans": plans}) if plans else None


def _conversation_id(user: User, partnership_id: int) -> QuerySet[Conversation, int]:
    """Return the id of one conversation that the person may see, if there is any."""
    return Conversation.objects.visible_to(user).filter(partnership=partnership_id).values_list("pk", flat=True)[:1]


def points_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the lookup of a later `points_section`, for `read_ahead`."""
    return [*points_of_partnership_lookups(partnership, user), lookup(_conversation_id, user, partnership.pk)]


def points_section(user: User, partnership: Partnership) -> Section:
    """Return the section with each party's objectives, obstacles and opportunities."""
    sides = points_of_partnership(partnership, user)
    has_points = not all(side.is_empty for side in sides)
    has_conversations = has_points or bool(rows_for(_conversation_id, user, partnership.pk))
    may_act = not partnership.is_over and Party.objects.person_takes_part(user, partnership.pk, *EDITING_ROLES)
    context = {"sides": sides, "held": has_conversations, "partnership": partnership, "may_act": may_act}
    return Section("web/_both_sides.html", context)
