"""Successions that need an administrator, because they could not take effect or could not pass records on."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, Q
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import People, Reach
from partnerships.organisations.lineage import with_ties
from partnerships.organisations.models import (
    CERTAIN_STATUSES,
    FINAL_STATUSES,
    Succession,
    SuccessionQuerySet,
    SuccessionStatus,
)
from partnerships.organisations.presenting import succession_title
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User

_BEFORE_ITS_ORDER = (SuccessionStatus.PROPOSED, SuccessionStatus.CONSULTED, SuccessionStatus.ORDER_LAID)


def action_needed(succession: Succession, today: dt.date) -> str:
    """Return what prevents the succession from taking effect or passing records on, and what to do; "" if nothing."""
    if succession.status == SuccessionStatus.EFFECTIVE and succession.refused_because:
        return (
            f"We could not hand over or return some accepted records: {succession.refused_because} We try again every "
            "five minutes, and have told the people who run this site."
        )
    if succession.is_final:
        return ""
    if succession.refused_because:
        return f"The succession could not take effect: {succession.refused_because} We try again every five minutes."
    vests, shadow = succession.vests_on, succession.shadow_on
    if succession.is_certain:
        if vests is not None and not vests.day and vests.earliest <= today:
            return (
                "The vesting day has only a month or year. Enter the exact day, so that the succession can take effect."
            )
        return ""
    if vests is not None and vests.latest <= today:
        return (
            f"The vesting day was {vests.words}, but no administrator has recorded that the order was made. If it was "
            "made, change the status to “Order made”, and the succession will take effect within five minutes. If "
            "not, cancel the succession."
        )
    if shadow is not None and shadow.latest <= today:
        return (
            f"The election or shadow authority was due {shadow.words}, but no administrator has recorded that the "
            "order was made. Look at the source and change the status, so that the succession can take effect."
        )
    return ""


def _overdue_successions(today: dt.date) -> SuccessionQuerySet:
    """Return the successions that may need an administrator; `action_needed` decides for each of them."""
    is_unmade = Q(status__in=_BEFORE_ITS_ORDER) & (Q(vests_on__lte=today) | Q(shadow_on__lte=today))
    is_due = Q(status__in=CERTAIN_STATUSES - FINAL_STATUSES, vests_on__lte=today)
    return Succession.objects.live().filter(is_unmade | is_due | ~Q(refused_because=""))


def _tasks_to_decide(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return a task for administrators for each succession that needs a decision."""
    if not user.is_staff:
        return []
    today = timezone.localdate(now)
    return [
        WaitingTask(
            action=_task(succession),
            title=succession_title(succession),
            path=reverse("organisations:succession", args=[succession.pk]),
        )
        for succession in with_ties(_overdue_successions(today)).order_by("pk")
        if action_needed(succession, today)
    ]


def _task(succession: Succession) -> str:
    if not succession.refused_because:
        return "Change the status of a succession or cancel it"
    if succession.is_final:
        return "Fix a succession that hands nothing over"
    return "Fix a succession that has not taken effect"


def _administrators(now: dt.datetime) -> Reach:
    """Return the active administrators, if any succession is overdue; nobody if none is."""
    staff = User.objects.filter(is_staff=True, is_active=True)
    return Reach(staff.filter(Exists(_overdue_successions(timezone.localdate(now)))), (People("pk"),))


#: Tasks of administrators about overdue successions.
OVERDUE = (TaskSource(_tasks_to_decide, lambda now: (_administrators(now),)),)
