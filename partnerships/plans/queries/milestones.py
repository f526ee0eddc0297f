"""Milestones that are overdue or due soon."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from partnerships.people.models import User
from partnerships.plans.models import SOON, Milestone, MilestoneQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def overdue_milestones(user: User | AnonymousUser, today: dt.date) -> MilestoneQuerySet:
    """Overdue milestones that the person may see."""
    return Milestone.objects.visible_to(user).overdue(today).select_related("plan")


def milestones_due_soon(user: User | AnonymousUser, today: dt.date) -> MilestoneQuerySet:
    """Milestones due within thirty days that the person may see."""
    return Milestone.objects.visible_to(user).due_between(today, today + SOON).select_related("plan")
