"""What a succession does to its organisations on its vesting day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import require
from partnerships.organisations.handovers import is_passing_back
from partnerships.organisations.lineage import brought_about, ending
from partnerships.organisations.models import (
    HandoverState,
    Organisation,
    Status,
    Succession,
    SuccessionKind,
    SuccessionStatus,
)
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.identifiers import UnableToAddIdentifier
from partnerships.organisations.services.moving_areas import move_areas
from partnerships.organisations.services.organisations import (
    UnableToDissolve,
    UnableToUpdateOrganisation,
    dissolve,
    update_organisation,
)
from partnerships.organisations.services.successions import (
    UnableToChangeSuccession,
    check_certain,
    lock_succession,
    set_status,
)
from partnerships.people.models import User


@transaction.atomic
def take_effect(*, succession: Succession, author: User | None, now: dt.datetime, reason: str = "") -> bool:
    """End predecessors, begin successors, move areas served and rename, once.

    False if it has taken effect already. Where it undoes another succession, the bodies that the other one ended exist
    again. Where it undoes an undoing, what could not pass on the first time is tried again. Raises
    `UnableToChangeSuccession` before the vesting day, if it is not certain, if what it undoes has not taken effect, or
    if a predecessor began later.
    """
    require(roles_of(author, now).keeps_directory)
    locked = lock_succession(succession.pk)
    if locked.status == SuccessionStatus.EFFECTIVE:
        return False
    day = _day_to_take_effect(locked, timezone.localdate(now))
    because = f"{locked} ({locked.instrument})" if locked.instrument else str(locked)
    for body in ending(locked):
        if not body.is_ended:
            _dissolve(body, on=day, because=because, author=author, now=now)
    for body in _beginning(locked):
        _update(
            body,
            status=Status.ACTIVE,
            valid_from=body.valid_from if body.is_ended else body.valid_from or day,
            valid_to=None,
            author=author,
            now=now,
            reason=because,
        )
    try:
        move_areas(succession=locked, on=day, author=author, now=now)
    except UnableToAddIdentifier as error:
        raise UnableToChangeSuccession(str(error)) from error
    if locked.kind == SuccessionKind.RENAME and locked.new_name:
        for body in Organisation.objects.filter(ties_as_successor__succession=locked).distinct().order_by("pk"):
            _update(body, name=locked.new_name, named_from=day, author=author, now=now, reason=because)
    _try_lines_again(locked)
    reason = reason.strip() or "Its vesting day has come."
    set_status(locked, SuccessionStatus.EFFECTIVE, reason=reason, author=author, now=now)
    succession.status = locked.status
    return True


def _day_to_take_effect(succession: Succession, today: dt.date) -> dt.date:
    """The vesting day. Raises `UnableToChangeSuccession` if the succession cannot take effect today."""
    if not succession.is_certain:
        raise UnableToChangeSuccession("The order has not been made.")
    check_certain(succession)
    if succession.undoes is not None and succession.undoes.status != SuccessionStatus.EFFECTIVE:
        raise UnableToChangeSuccession("The succession that it undoes has not taken effect yet. Wait until it has.")
    if succession.undoes is not None and is_passing_back(succession.undoes):
        raise UnableToChangeSuccession("What was handed over is still being handed back. Wait a few minutes.")
    vesting = succession.vesting_day
    if vesting is None:
        raise UnableToChangeSuccession("Give the vesting day: a month or year is not enough.")
    if vesting.earliest > today:
        raise UnableToChangeSuccession(f"The succession takes effect on {vesting.words}.")
    return vesting.earliest


def _dissolve(body: Organisation, *, on: dt.date, because: str, author: User | None, now: dt.datetime) -> None:
    try:
        dissolve(organisation=body, on=on, author=author, now=now, reason=because)
    except UnableToDissolve as error:
        raise UnableToChangeSuccession(f"{body.name}: {error} Correct its first day or the vesting day.") from error


def _update(body: Organisation, **changes: Any) -> None:
    """Like `update_organisation`, but raises `UnableToChangeSuccession`."""
    try:
        update_organisation(organisation=body, **changes)
    except UnableToUpdateOrganisation as error:
        raise UnableToChangeSuccession(f"{body.name}: {error}") from error


def _try_lines_again(succession: Succession) -> None:
    """If it brings another one about again, let what could not pass on by that one wait to pass on."""
    again = brought_about(succession)
    if again != succession:
        stayed = again.handovers.filter(state=HandoverState.STAYED)
        stayed.update(state=HandoverState.ACCEPTED, dispute="")


def _beginning(succession: Succession) -> list[Organisation]:
    """The successors that do not exist yet, or again, by number."""
    successors = Organisation.objects.filter(ties_as_successor__succession=succession).distinct()
    waiting = successors.filter(status__in=[Status.PROPOSED, Status.SHADOW])
    if succession.undoes is not None:
        waiting |= successors.filter(status=Status.DISSOLVED)
    return list(waiting.order_by("pk"))
