"""Successions whose day has come and that need an administrator, and those that could not pass things on."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, Q
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import People, Reach
from partnerships.organisations.lineage import with_ties
from partnerships.organisations.models import CERTAIN, FINAL, Succession, SuccessionQuerySet, SuccessionStatus
from partnerships.organisations.presenting import title_of
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

_BEFORE_ITS_ORDER = (SuccessionStatus.PROPOSED, SuccessionStatus.CONSULTED, SuccessionStatus.ORDER_LAID)


def what_to_do(succession: Succession, today: dt.date) -> str:
    """What an administrator must do before it can take effect or pass things on; empty if nothing, or not yet."""
    if succession.status == SuccessionStatus.EFFECTIVE and succession.refused_because:
        return (
            f"What was accepted could not be handed over, or handed back: {succession.refused_because} We try again "
            "every five minutes. The operators have been told."
        )
    if succession.is_final:
        return ""
    if succession.refused_because:
        return f"It could not take effect: {succession.refused_because} We try again every five minutes."
    vests, shadow = succession.vests_on, succession.shadow_on
    if succession.is_certain:
        if vests is not None and not vests.day and vests.earliest <= today:
            return "It has no vesting day, only a month or year: correct it, so that it takes effect."
        return ""
    if vests is not None and vests.latest <= today:
        return (
            f"Its vesting day was {vests.words}, but no administrator has recorded that its order was made. "
            "Change the status to “Order made”, and it takes effect within five minutes; or cancel it."
        )
    if shadow is not None and shadow.latest <= today:
        return (
            f"The election or shadow authority was due {shadow.words}, but no administrator has recorded that its "
            "order was made. Look at the source, and change the status: until then it cannot take effect."
        )
    return ""


def _overdue(today: dt.date) -> SuccessionQuerySet:
    """The successions about which `what_to_do` says something.

    There are a few more in the month or year of their vesting.
    """
    unmade = Q(status__in=_BEFORE_ITS_ORDER) & (Q(vests_on__lte=today) | Q(shadow_on__lte=today))
    due = Q(status__in=CERTAIN - FINAL, vests_on__lte=today)
    return Succession.objects.live().filter(unmade | due | ~Q(refused_because=""))


def _to_decide(user: User, now: dt.datetime) -> list[Waiting]:
    """One line per succession, for administrators."""
    if not user.is_staff:
        return []
    today = timezone.localdate(now)
    return [
        Waiting(
            what=_task(tie),
            title=title_of(tie),
            path=reverse("organisations:succession", args=[tie.pk]),
        )
        for tie in with_ties(_overdue(today)).order_by("pk")
        if what_to_do(tie, today)
    ]


def _task(succession: Succession) -> str:
    if not succession.refused_because:
        return "Decide about a succession"
    return (
        "Fix a succession that hands nothing over"
        if succession.is_final
        else "Fix a succession that has not taken effect"
    )


def _administrators(now: dt.datetime) -> Reach:
    """Active administrators, while something is overdue."""
    staff = User.objects.filter(is_staff=True, is_active=True)
    return Reach(staff.filter(Exists(_overdue(timezone.localdate(now)))), (People("pk"),))


#: Work that waits for administrators: what could not take effect, or still has an early status on its day.
OVERDUE = (Source(_to_decide, lambda now: (_administrators(now),)),)
