"""What happens to successions by the clock: they take effect, things pass on, and people are told."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from partnerships.organisations.handovers import count_held, is_passing_back
from partnerships.organisations.lineage import ending
from partnerships.organisations.models import CERTAIN, HandoverState, Membership, Succession, SuccessionStatus
from partnerships.organisations.services.handovers import apply_handovers, is_in_force, undo_handovers
from partnerships.organisations.services.organisations import UnableToDissolve
from partnerships.organisations.services.successions import UnableToChangeSuccession, lock_succession
from partnerships.organisations.services.taking_effect import take_effect
from partnerships.organisations.vested import tell_others
from partnerships.outbox.services import record_emails

#: People are told of a succession that passed nothing on only if it vested within this time: others are history.
TOLD_WITHIN = dt.timedelta(days=365)


def hand_over_due(*, now: dt.datetime) -> int:
    """Let successions take effect whose day has come, then pass on and put back; returns how many lines and rows.

    May run twice. What goes wrong with one succession is raised after the others have had their turn.
    """
    count, wrong = hand_over_each(now=now)
    for error in wrong.values():
        raise error
    return count


def hand_over_each(*, now: dt.datetime) -> tuple[int, dict[int, Exception]]:
    """As `hand_over_due`, but returns what went wrong, by succession (id)."""
    _take_due_effect(now)
    count = 0
    wrong: dict[int, Exception] = {}
    effective = Succession.objects.filter(status=SuccessionStatus.EFFECTIVE)
    with_lines = Q(handovers__state__in=[HandoverState.ACCEPTED, HandoverState.APPLIED])
    for one in effective.filter(with_lines | Q(is_untold=True)).distinct().order_by("pk"):
        try:
            count += _pass_on_or_put_back(one, now)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one succession, the others take their turn
            wrong[one.pk] = error
    return count, wrong


def _take_due_effect(now: dt.datetime) -> None:
    """What cannot take effect yet, such as one of two rival successions, waits for an administrator."""
    for one in Succession.objects.filter(status__in=CERTAIN).pending().order_by("pk"):
        if one.vesting_day is not None and one.vesting_day.earliest <= timezone.localdate(now):
            with suppress(UnableToChangeSuccession, UnableToDissolve):
                take_effect(succession=one, author=None, now=now)


def _pass_on_or_put_back(succession: Succession, now: dt.datetime) -> int:
    if not is_in_force(succession):
        return undo_handovers(succession=succession, now=now)
    count = apply_handovers(succession=succession, now=now)
    tell_of_succession(succession=succession, now=now)
    return count


@transaction.atomic
def tell_of_succession(*, succession: Succession, now: dt.datetime) -> None:
    """Email everybody who acts for its bodies, and other rooms' people, what it passed on; once.

    Waits until everything accepted has passed on, or back. People are not told of lines that are accepted later.
    """
    locked = lock_succession(succession.pk)
    if not locked.is_untold or locked.handovers.ready().exists():
        return
    if locked.undoes is not None and is_passing_back(locked.undoes):
        return
    locked.is_untold = False
    locked.save(update_fields=["is_untold"])
    day = timezone.localdate(now)
    if not _is_news(locked, day):
        return
    sides = Q(organisation__in=locked.ties.values("predecessor")) | Q(organisation__in=locked.ties.values("successor"))
    people = Membership.objects.current(day).filter(sides).values_list("person", flat=True)
    waiting = {str(body.pk): count_held(body, day) for body in ending(locked)}
    record_emails(
        kind="organisations.handed_over",
        people=sorted(set(people)),
        params={"succession": locked.pk, "waiting": waiting},
        now=now,
    )
    tell_others(locked, now=now)


def _is_news(succession: Succession, day: dt.date) -> bool:
    """Whether somebody else follows, or nobody, and it is not long ago."""
    if not succession.ties.exclude(successor=F("predecessor")).exists():
        return False
    vests = succession.vests_on
    return (vests is not None and vests.latest > day - TOLD_WITHIN) or succession.handovers.filter(
        state=HandoverState.APPLIED
    ).exists()
