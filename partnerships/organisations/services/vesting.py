"""What happens to successions by the clock.

They take effect, pass on what was held, and people are emailed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from partnerships.kit.operators import alert_operators
from partnerships.organisations.handovers import count_held, is_passing_back
from partnerships.organisations.lineage import brought_about, ending, is_in_force, of_same_order
from partnerships.organisations.models import (
    CERTAIN,
    HandoverState,
    Membership,
    Succession,
    SuccessionStatus,
    SuccessionTie,
)
from partnerships.organisations.services.handovers import apply_handovers, undo_handovers
from partnerships.organisations.services.organisations import UnableToDissolve
from partnerships.organisations.services.proposals import tell_of_proposals
from partnerships.organisations.services.successions import UnableToChangeSuccession
from partnerships.organisations.services.taking_effect import take_effect
from partnerships.organisations.vested import tell_others
from partnerships.outbox.services import record_emails

#: Characters of a reason that are kept.
_MAX_REFUSAL = 500
#: People are told of a succession that passed nothing on only if it vested within this time: others are history.
TOLD_WITHIN = dt.timedelta(days=365)


def hand_over_due(*, now: dt.datetime) -> int:
    """Process due successions; returns how many lines and rows were moved.

    Safe to run twice. If one succession fails, the others are still processed; then its error is raised.
    """
    count, errors = hand_over_each(now=now)
    for error in errors.values():
        raise error
    return count


def hand_over_each(*, now: dt.datetime) -> tuple[int, dict[int, Exception]]:
    """Like `hand_over_due`, but returns errors by id of the succession."""
    count, errors = 0, _take_due_effect(now)
    effective = Succession.objects.filter(status=SuccessionStatus.EFFECTIVE).order_by("pk")
    with_lines = Q(handovers__state__in=[HandoverState.ACCEPTED, HandoverState.APPLIED])
    for succession in effective.filter(with_lines | ~Q(refused_because="")).distinct():
        refusal = ""
        try:
            count += _pass_on_or_put_back(succession, now)
        except Exception as error:  # noqa: BLE001 - one failed succession must not stop the others
            errors[succession.pk], refusal = error, _unexpected(error)
        _keep_refusal(succession, refusal, now=now)
    for succession in effective.filter(is_untold=True):
        try:
            tell_of_succession(succession=succession, now=now)
        except Exception as error:  # noqa: BLE001 - as above
            errors.setdefault(succession.pk, error)
    tell_of_proposals(now=now)
    return count, errors


def _take_due_effect(now: dt.datetime) -> dict[int, Exception]:
    """Let successions take effect on their day; returns unexpected errors.

    If one is refused, the reason is kept for administrators, and the next run tries it again.
    """
    today = timezone.localdate(now)
    errors: dict[int, Exception] = {}
    for succession in Succession.objects.filter(status__in=CERTAIN).pending().order_by("pk"):
        if succession.vests_on is None or succession.vests_on.latest > today:
            continue
        refusal = ""
        try:
            take_effect(succession=succession, author=None, now=now)
        except (UnableToChangeSuccession, UnableToDissolve) as error:
            refusal = str(error)[:_MAX_REFUSAL]
        except Exception as error:  # noqa: BLE001 - one failed succession must not stop the others
            errors[succession.pk], refusal = error, _unexpected(error)
        if _keep_refusal(succession, refusal, now=now) and refusal:
            alert_operators(f"Succession {succession.pk} could not take effect", f"{refusal}\nIt is tried again.")
    return errors


def _unexpected(error: Exception) -> str:
    return f"An unexpected error: {type(error).__name__}."


def _keep_refusal(succession: Succession, refusal: str, *, now: dt.datetime) -> bool:
    """Save why a succession was refused; returns whether that changed.

    Operators hear about unexpected errors because the task fails.
    """
    if refusal == succession.refused_because:
        return False
    since = now if refusal else None
    Succession.objects.filter(pk=succession.pk).update(refused_because=refusal, refused_at=since)
    return True


def _pass_on_or_put_back(succession: Succession, now: dt.datetime) -> int:
    pass_on = apply_handovers if is_in_force(succession) else undo_handovers
    return pass_on(succession=succession, now=now)


@transaction.atomic
def tell_of_succession(*, succession: Succession, now: dt.datetime) -> None:
    """Email those who act for its bodies, and those that other rooms know.

    One email covers all successions of an order. It waits until everything that was accepted has passed on, or back. If
    more passes on later, only other rooms send a second one, to people who read that something awaits an organisation.
    """
    same_order = of_same_order(succession).filter(status=SuccessionStatus.EFFECTIVE).select_for_update(of=("self",))
    in_force = {
        succession_alike.pk: succession_alike for succession_alike in same_order if is_in_force(succession_alike)
    }
    if succession.pk not in in_force or not in_force[succession.pk].is_untold:
        return
    told_before = in_force[succession.pk].told_at
    group = [
        member for member in in_force.values() if member.told_at == told_before and (told_before or member.is_untold)
    ]
    if any(_is_moving(member) for member in group):
        return
    day = timezone.localdate(now)
    for member in group:
        member.is_untold = False
        member.told_at = member.told_at or now
        member.save(update_fields=["is_untold", "told_at"])
    news = [member for member in group if _is_news(member, day)]
    if not news:
        return
    if told_before is None:
        _tell_members(news, now)
    tell_others(news, is_later=told_before is not None, now=now)


def _is_moving(succession: Succession) -> bool:
    """Whether something still has to pass on, or back."""
    if succession.undoes is not None and is_passing_back(succession.undoes):
        return True
    return any(one.handovers.ready().exists() for one in {succession, brought_about(succession)})


def _tell_members(successions: Sequence[Succession], now: dt.datetime) -> None:
    """Email everybody who acts for a predecessor or successor, once each."""
    day = timezone.localdate(now)
    ties = SuccessionTie.objects.filter(succession__in=successions)
    sides = Q(organisation__in=ties.values("predecessor")) | Q(organisation__in=ties.values("successor"))
    people = Membership.objects.current(day).filter(sides).values_list("person", flat=True)
    bodies = {body.pk: body for other in successions for body in ending(other)}
    first, *other_successions = successions
    also = [other.pk for other in other_successions]
    record_emails(
        kind="organisations.handed_over",
        people=sorted(set(people)),
        params={
            # Without what waits: that may differ when the clock tells it again after a restore.
            "slot": {"succession": first.pk, "also": also},
            "succession": first.pk,
            "also": also,
            "waiting": {str(pk): count_held(body, day) for pk, body in bodies.items()},
        },
        now=now,
    )


def _is_news(succession: Succession, day: dt.date) -> bool:
    """Whether people should hear.

    Another body follows, or none, and it is recent or passed something on.
    """
    if not succession.ties.exclude(successor=F("predecessor")).exists():
        return False
    vests = succession.vests_on
    return (vests is not None and vests.latest > day - TOLD_WITHIN) or succession.handovers.filter(
        state=HandoverState.APPLIED
    ).exists()
