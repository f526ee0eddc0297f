"""Make a succession take effect, which ends predecessors, starts successors, and moves areas and names."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import require
from partnerships.organisations.handovers import has_records_to_return
from partnerships.organisations.lineage import effective_succession, ending_predecessors
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
    """End predecessors, start successors, move areas served and rename; return False if this was already done.

    If the succession undoes another one, organisations that the other one ended exist again. If it undoes an undoing,
    lines that could not be applied the first time are tried again.

    Raises `UnableToChangeSuccession` before the vesting day, and if the succession is not certain, a predecessor
    started later, or the succession that it undoes has not taken effect.
    """
    require(roles_of(author, now).may_change_directory)
    locked_succession = lock_succession(succession.pk)
    if locked_succession.status == SuccessionStatus.EFFECTIVE:
        return False
    day = _day_to_take_effect(locked_succession, timezone.localdate(now))

    # Areas can move only once the predecessors have ended.
    _end_predecessors(locked_succession, day, author=author, now=now)
    _start_successors(locked_succession, day, author=author, now=now)
    try:
        move_areas(succession=locked_succession, on=day, author=author, now=now)
    except UnableToAddIdentifier as error:
        raise UnableToChangeSuccession(str(error)) from error
    _rename_successors(locked_succession, day, author=author, now=now)
    _reopen_stayed_lines(locked_succession)

    status_reason = reason.strip() or "The vesting day has come."
    set_status(locked_succession, SuccessionStatus.EFFECTIVE, reason=status_reason, author=author, now=now)
    succession.status = locked_succession.status
    return True


def _end_predecessors(succession: Succession, day: dt.date, *, author: User | None, now: dt.datetime) -> None:
    """End the organisations that the succession ends. Raises `UnableToChangeSuccession` if one cannot end that day."""
    for organisation in ending_predecessors(succession):
        if organisation.is_ended:
            continue
        try:
            dissolve(organisation=organisation, on=day, author=author, now=now, reason=_history_reason(succession))
        except UnableToDissolve as error:
            raise UnableToChangeSuccession(
                f"{organisation.name}: {error} Correct its first day or the vesting day."
            ) from error


def _start_successors(succession: Succession, day: dt.date, *, author: User | None, now: dt.datetime) -> None:
    """Make the successors that do not exist yet, or no longer exist, active."""
    for organisation in _starting(succession):
        # An organisation that exists again keeps its first day, even if that day is unknown.
        first_day = organisation.valid_from if organisation.is_ended else organisation.valid_from or day
        _update(
            organisation,
            status=Status.ACTIVE,
            valid_from=first_day,
            valid_to=None,
            author=author,
            now=now,
            reason=_history_reason(succession),
        )


def _rename_successors(succession: Succession, day: dt.date, *, author: User | None, now: dt.datetime) -> None:
    """Give the organisation of a rename its new name from the vesting day on."""
    if succession.kind != SuccessionKind.RENAME or not succession.new_name:
        return
    for organisation in Organisation.objects.filter(ties_as_successor__succession=succession).distinct().order_by("pk"):
        _update(
            organisation,
            name=succession.new_name,
            named_from=day,
            author=author,
            now=now,
            reason=_history_reason(succession),
        )


def _history_reason(succession: Succession) -> str:
    """Return the succession and its instrument, as the reason in the histories of the organisations."""
    return f"{succession} ({succession.instrument})" if succession.instrument else str(succession)


def _day_to_take_effect(succession: Succession, today: dt.date) -> dt.date:
    """Return the vesting day. Raises `UnableToChangeSuccession` if the succession cannot take effect yet."""
    if not succession.is_certain:
        raise UnableToChangeSuccession("The order has not been made. Change the status to “Order made” first.")
    check_certain(succession)
    if succession.undoes is not None and succession.undoes.status != SuccessionStatus.EFFECTIVE:
        raise UnableToChangeSuccession(
            "The succession that this one undoes has not taken effect yet. Wait until it has taken effect."
        )
    if succession.undoes is not None and has_records_to_return(succession.undoes):
        raise UnableToChangeSuccession("Records are still being returned to the predecessors. Wait a few minutes.")
    vesting = succession.vesting_day
    if vesting is None:
        raise UnableToChangeSuccession("Enter the exact vesting day. A month or year is not enough.")
    if vesting.earliest > today:
        raise UnableToChangeSuccession(
            f"The succession cannot take effect before {vesting.words}. Wait until that day."
        )
    return vesting.earliest


def _update(organisation: Organisation, **changes: Any) -> None:
    """Update an organisation; raise `UnableToChangeSuccession` if the update is refused."""
    try:
        update_organisation(organisation=organisation, **changes)
    except UnableToUpdateOrganisation as error:
        raise UnableToChangeSuccession(f"{organisation.name}: {error}") from error


def _reopen_stayed_lines(succession: Succession) -> None:
    """Accept stayed lines again if this succession makes an earlier succession effective again."""
    earlier_succession = effective_succession(succession)
    if earlier_succession != succession:
        stayed_lines = earlier_succession.handovers.filter(state=HandoverState.STAYED)
        stayed_lines.update(state=HandoverState.ACCEPTED, dispute="")


def _starting(succession: Succession) -> list[Organisation]:
    """Return the successors that do not exist yet or, if the succession undoes another one, that no longer exist."""
    successors = Organisation.objects.filter(ties_as_successor__succession=succession).distinct()
    starting_successors = successors.filter(status__in=[Status.PROPOSED, Status.SHADOW])
    if succession.undoes is not None:
        starting_successors |= successors.filter(status=Status.DISSOLVED)
    return list(starting_successors.order_by("pk"))
