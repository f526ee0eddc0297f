"""Milestones that are overdue or due soon."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from partnerships.people.models import User
from partnerships.plans.models import Milestone, MilestoneQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def milestones_due_by(user: User | AnonymousUser, day: dt.date) -> MilestoneQuerySet:
    """Return the outstanding milestones that the person may see and that are due on or before a day."""
    return Milestone.objects.visible_to(user).outstanding().filter(due_by__lte=day).select_related("plan")
